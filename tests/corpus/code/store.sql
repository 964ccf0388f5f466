-- Keeps values by name,
-- the newest ones first.
CREATE TABLE store (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL
);

CREATE INDEX store_name ON store (name);

CREATE VIEW newest AS
SELECT * FROM store ORDER BY id DESC;

CREATE FUNCTION size() RETURNS integer AS $$
  SELECT count(*) FROM store;
$$ LANGUAGE sql;

INSERT INTO store (name) VALUES ('one');

DELIMITER //
CREATE PROCEDURE `add_value`(IN p_name VARCHAR(255))
BEGIN
  INSERT INTO store (name) VALUES (p_name);
END //
DELIMITER ;
