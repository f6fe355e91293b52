-- Statements of closed months only come to be: what was sent to people stays as they have it.
CREATE FUNCTION refuse_change_of_statement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is never changed: reopen the month and close it as another version',
        TG_TABLE_NAME;
END
$$;
CREATE TRIGGER statement_version_stays BEFORE UPDATE OR DELETE ON statement_version
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_statement();
CREATE TRIGGER statement_line_stays BEFORE UPDATE OR DELETE ON statement_line
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_statement()
