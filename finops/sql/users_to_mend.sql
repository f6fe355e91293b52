-- Puts difference_user_day where fold_user_day.sql adds from. One row: one day of one user in one
-- attribution.
INSERT INTO fresh_user_day SELECT * FROM difference_user_day
