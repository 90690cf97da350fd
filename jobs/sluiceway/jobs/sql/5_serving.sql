-- Step 5, serving: what people and services ask, answered by the store itself (`sluiceway sql`).

-- Point: what did one user pay on one day?
SELECT * FROM order_dw.dws_users WHERE user_id = 'user_001' AND ds = '20230215';

-- Detail: one user's orders of a month that were paid by phone.
SELECT order_id, order_product_catalog_name, order_fee, order_create_time
FROM order_dw.dwd_orders
WHERE order_user_id = 'user_001' AND pay_platform = 0
  AND order_create_time >= '2023-02-01 00:00:00' AND order_create_time < '2023-03-01 00:00:00'
ORDER BY order_create_time LIMIT 100;

-- Report: orders and turnover a day and product.
SELECT TO_CHAR(order_create_time, 'YYYYMMDD') AS order_create_date,
  order_product_catalog_name, COUNT(*), SUM(order_fee)
FROM order_dw.dwd_orders
GROUP BY order_create_date, order_product_catalog_name
ORDER BY order_create_date, order_product_catalog_name;
