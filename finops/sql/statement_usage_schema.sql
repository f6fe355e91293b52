-- What statements were made of stays as they do.
CREATE TRIGGER statement_usage_stays BEFORE UPDATE OR DELETE ON statement_usage
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_statement()
