-- Step 2, ODS: the whole MySQL database, full load and then every change, as one Flink job.
-- The runner makes it CALL dw.sys.sync_database(…), which can be written as well.

SET 'pipeline.name' = 'ods: order_dw from MySQL';

CREATE DATABASE IF NOT EXISTS dw.order_dw
  AS DATABASE mysqlcatalog.order_dw INCLUDING all tables
  /*+ OPTIONS('server-id' = '8001-8004') */;
