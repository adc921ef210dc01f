-- A row for each table that the usual work of a fixture of testdata/versions leaves empty. All of them are over and done with.
INSERT INTO approvals (feed, scope, code, share, until, who) VALUES ('precios', '290057', 'G-BRAKE-01', 0.5, 1767225600000, 'ana');
INSERT INTO host_keys (address, fingerprint, who, at) VALUES ('old.example.net:22', 'SHA256:q3VJm0XyT5ZkL8r1WcN7bHfE2uAoPdSiG6RtY9xKvBw', 'ana', 1767225600000);
INSERT INTO rollbacks (id, back_to, vendor, feed, who, asked_at, state, seq, error) VALUES (1, 1767225600000, '', '', 'ana', 1767225600000, 'failed', 0, 'nothing was wanted then');
INSERT INTO alert_targets (target, place, told, due, due_at, failures, next_at, error) VALUES ('0011', 'alerts[0]', '{}', '', 0, 0, 0, '');
INSERT INTO alert_book (id, book) VALUES (1, '{"state":"ok","since":"2026-01-01T00:00:00Z","run":{}}') ON CONFLICT DO NOTHING;
INSERT INTO pauses (id, scope, who, reason, at, until, ended, ended_by) VALUES (1, '*', 'ana', 'inventory', 1767225600000, 0, 1767229200000, 'ana');
INSERT INTO offs (id, scope, item_key, sku, barcode, who, reason, at, until, ended, ended_by, applied) VALUES (1, '*', 'A9', 'A9', '', 'ana', 'recall', 1767225600000, 0, 1767229200000, 'ana', 0);
INSERT INTO findings (id, target, code, state, finding, held, first_at, at, until, who, decided) VALUES (1, 'catalog/290057', 'G-BRAKE-05', 'gone', '{}', '', 1767225600000, 1767229200000, 0, '', 0);
INSERT INTO inbox_counts (what, n, last_at, remote) VALUES ('secret', 3, 1767225600000, '127.0.0.1') ON CONFLICT DO NOTHING;
INSERT INTO order_marks (vendor, upto) VALUES ('290056', 1767225600000) ON CONFLICT DO NOTHING;
INSERT INTO polls (vendor, tried_at, done_at, failures, error) VALUES ('290056', 1767225600000, 1767225600000, 0, '') ON CONFLICT DO NOTHING;
INSERT INTO holds (sent_by, class, login, error, at) VALUES ('api', 'credentials', '0011', 'refused', 1767225600000);
INSERT INTO jobs (id, kind, delivery, target, vendor, status, made_at, asked, next_at, ended_at, heard, rejected, error)
  VALUES ('5f1c', 'catalog', 0, 'catalog/290056', '290056', 'COMPLETED', 1767225600000, 1, 0, 1767225600000, 'event', 1, '');
INSERT INTO feedback (target, vendor, item_key, sku, reason, job, delivery, at, seq, sheet, line)
  VALUES ('catalog/290057', '290057', 'A1', 'A1', 'price: not allowed', '5f1c', 0, 1767225600000, 1, '', 4);
INSERT INTO order_gaps (key, kind, state, seen_at, found_at, checked, next_at, outcome, ended_at)
  VALUES ('order-1', 'not-listed', 'READY_FOR_PICKUP', 1767225600000, 1767225600000, 1, 0, 'repaired', 1767225600000) ON CONFLICT DO NOTHING;
INSERT INTO audits (id, run, vendor, source, who, set_sent, state, asked_at, next_at, tries, job, url, done_at, counts, there, sent, unread, took, error)
  VALUES (1, 1, '290056', 'list', 'ana', 0, 'failed', 1767225600000, 0, 1, '', '', 1767225600000, '', '', '', '', 0, 'refused');
