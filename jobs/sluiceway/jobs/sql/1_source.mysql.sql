-- Step 1, the source: the shop's own database in MySQL, with the tutorial's rows.

CREATE DATABASE order_dw;

CREATE TABLE order_dw.orders (
  order_id    BIGINT         NOT NULL PRIMARY KEY,
  user_id     VARCHAR(50)    NOT NULL,
  shop_id     BIGINT         NOT NULL,
  product_id  BIGINT         NOT NULL,
  buy_fee     NUMERIC(20, 2) NOT NULL,
  create_time TIMESTAMP      NOT NULL,
  update_time TIMESTAMP      NOT NULL DEFAULT now(),
  state       INT            NOT NULL
);

CREATE TABLE order_dw.orders_pay (
  pay_id       BIGINT    NOT NULL PRIMARY KEY,
  order_id     BIGINT    NOT NULL,
  pay_platform INT       NOT NULL, -- 0: phone, 1: pc
  create_time  TIMESTAMP NOT NULL
);

CREATE TABLE order_dw.product_catalog (
  product_id   BIGINT      NOT NULL PRIMARY KEY,
  catalog_name VARCHAR(50) NOT NULL
);

INSERT INTO order_dw.product_catalog VALUES
  (1, 'phone_aaa'), (2, 'phone_bbb'), (3, 'phone_ccc'), (4, 'phone_ddd'), (5, 'phone_eee');

INSERT INTO order_dw.orders VALUES
  (100001, 'user_001', 12345, 1, 5000.05, '2023-02-15 16:40:56', '2023-02-15 18:42:56', 1),
  (100002, 'user_002', 12346, 2, 4000.04, '2023-02-15 15:40:56', '2023-02-15 18:42:56', 1),
  (100003, 'user_003', 12347, 3, 3000.03, '2023-02-15 14:40:56', '2023-02-15 18:42:56', 1),
  (100004, 'user_001', 12347, 4, 2000.02, '2023-02-15 13:40:56', '2023-02-15 18:42:56', 1),
  (100005, 'user_002', 12348, 5, 1000.01, '2023-02-15 12:40:56', '2023-02-15 18:42:56', 1),
  (100006, 'user_001', 12348, 1, 1000.01, '2023-02-15 11:40:56', '2023-02-15 18:42:56', 1),
  (100007, 'user_003', 12347, 4, 2000.02, '2023-02-15 10:40:56', '2023-02-15 18:42:56', 1);

INSERT INTO order_dw.orders_pay VALUES
  (2001, 100001, 1, '2023-02-15 17:40:56'),
  (2002, 100002, 1, '2023-02-15 17:40:56'),
  (2003, 100003, 0, '2023-02-15 17:40:56'),
  (2004, 100004, 0, '2023-02-15 17:40:56'),
  (2005, 100005, 0, '2023-02-15 18:40:56'),
  (2006, 100006, 0, '2023-02-15 18:40:56'),
  (2007, 100007, 0, '2023-02-15 18:40:56');
