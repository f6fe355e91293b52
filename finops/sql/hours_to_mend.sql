-- Puts difference_hour where fold_hour.sql adds from. One row: one hour of one attribution.
DELETE FROM fresh_hour;
INSERT INTO fresh_hour SELECT * FROM difference_hour
