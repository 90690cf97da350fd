-- While everything runs: one order more, and its payment.

INSERT INTO order_dw.orders VALUES
  (100008, 'user_003', 12345, 5, 6000.02, '2023-02-15 09:40:56', '2023-02-15 18:42:56', 1);

INSERT INTO order_dw.orders_pay VALUES (2008, 100008, 1, '2023-02-15 19:40:56');
