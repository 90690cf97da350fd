-- The two catalogs of the tutorial. Only endpoints and credentials are not the tutorial's.
-- `dw` is the warehouse; its other options are defaults for every table that is used through it.

CREATE CATALOG dw WITH (
  'type' = 'hologres',
  'endpoint' = '${endpoint}',
  'username' = 'BASIC$flinktest',
  'password' = 'not-checked-yet',
  'dbname' = 'order_dw@init_warehouse',
  'binlog' = 'true',
  'sdkMode' = 'jdbc',
  'cdcmode' = 'true',
  'connectionpoolname' = 'the_conn_pool',
  'ignoredelete' = 'true',
  'partial-insert.enabled' = 'true',
  'mutateType' = 'insertOrUpdate',
  'table_property.binlog.level' = 'replica',
  'table_property.binlog.ttl' = '259200'
);

CREATE CATALOG mysqlcatalog WITH (
  'type' = 'mysql',
  'hostname' = '${mysql_host}',
  'port' = '${mysql_port}',
  'username' = '${mysql_user}',
  'password' = '${mysql_password}',
  'default-database' = 'order_dw'
);
