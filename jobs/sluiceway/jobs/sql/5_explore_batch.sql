-- Exploring a layer as it stands: a snapshot of the DWD table, read once.

SELECT order_id, order_product_catalog_name, order_fee, order_create_time, pay_platform
FROM dw.order_dw.dwd_orders /*+ OPTIONS('binlog' = 'false') */
WHERE order_user_id = 'user_001' AND order_create_time > '2023-02-15 12:00:00';
