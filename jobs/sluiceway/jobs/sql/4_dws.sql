-- Step 4, DWS: what was paid a day, by user and by shop, from the changelog of the DWD table.

CREATE TABLE dw.order_dw.dws_users (
  user_id STRING NOT NULL,
  ds STRING NOT NULL,
  paied_buy_fee_sum NUMERIC(20, 2) NOT NULL COMMENT 'Total paid amount on the day',
  PRIMARY KEY (user_id, ds) NOT ENFORCED
);

CREATE TABLE dw.order_dw.dws_shops (
  shop_id BIGINT NOT NULL,
  ds STRING NOT NULL,
  paied_buy_fee_sum NUMERIC(20, 2) NOT NULL COMMENT 'Total paid amount on the day',
  PRIMARY KEY (shop_id, ds) NOT ENFORCED
);

SET 'pipeline.name' = 'dws: dws_users and dws_shops from dwd_orders';

BEGIN STATEMENT SET;

INSERT INTO dw.order_dw.dws_users
SELECT order_user_id, DATE_FORMAT(pay_create_time, 'yyyyMMdd') AS ds, SUM(order_fee)
FROM dw.order_dw.dwd_orders
WHERE pay_id IS NOT NULL AND order_fee IS NOT NULL
GROUP BY order_user_id, DATE_FORMAT(pay_create_time, 'yyyyMMdd');

INSERT INTO dw.order_dw.dws_shops
SELECT order_shop_id, DATE_FORMAT(pay_create_time, 'yyyyMMdd') AS ds, SUM(order_fee)
FROM dw.order_dw.dwd_orders
WHERE pay_id IS NOT NULL AND order_fee IS NOT NULL
GROUP BY order_shop_id, DATE_FORMAT(pay_create_time, 'yyyyMMdd');

END;
