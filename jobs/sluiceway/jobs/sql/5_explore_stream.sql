-- Exploring a layer as a stream: every change of the DWD table since a moment, of one user.
-- `startTime` is when the change was written, not when the order was placed. It does not end.

CREATE TEMPORARY TABLE print_sink (
  order_id BIGINT NOT NULL,
  order_user_id STRING,
  order_shop_id BIGINT,
  order_product_id BIGINT,
  order_product_catalog_name STRING,
  order_fee NUMERIC(20, 2),
  order_create_time TIMESTAMP,
  order_update_time TIMESTAMP,
  order_state INT,
  pay_id BIGINT,
  pay_platform INT,
  pay_create_time TIMESTAMP,
  PRIMARY KEY (order_id) NOT ENFORCED
) WITH ('connector' = 'print', 'print-identifier' = 'explore');

SET 'pipeline.name' = 'explore: changes of dwd_orders';

INSERT INTO print_sink
SELECT * FROM dw.order_dw.dwd_orders /*+ OPTIONS('startTime' = '2023-02-15 12:00:00') */
WHERE order_user_id = 'user_001';
