-- Step 3, DWD: orders, their product's name and their payment in one wide row. Nothing is joined as
-- a stream: two partial INSERTs meet in the store, by primary key.

CREATE TABLE dw.order_dw.dwd_orders (
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
  pay_platform INT COMMENT 'platform 0: phone, 1: pc',
  pay_create_time TIMESTAMP,
  PRIMARY KEY (order_id) NOT ENFORCED
);

-- The changelog of this layer is kept for seven days, not for the catalog's three.
ALTER TABLE dw.order_dw.dwd_orders SET ('table_property.binlog.ttl' = '604800');

SET 'pipeline.name' = 'dwd: dwd_orders from orders, product_catalog, orders_pay';

BEGIN STATEMENT SET;

INSERT INTO dw.order_dw.dwd_orders (
  order_id, order_user_id, order_shop_id, order_product_id, order_fee, order_create_time,
  order_update_time, order_state, order_product_catalog_name
)
SELECT o.*, dim.catalog_name
FROM dw.order_dw.orders AS o
LEFT JOIN dw.order_dw.product_catalog FOR SYSTEM_TIME AS OF proctime() AS dim
  ON o.product_id = dim.product_id;

INSERT INTO dw.order_dw.dwd_orders (pay_id, order_id, pay_platform, pay_create_time)
SELECT * FROM dw.order_dw.orders_pay;

END;
