-- What is never changed is not emptied either.
CREATE TRIGGER statement_version_is_not_emptied BEFORE TRUNCATE ON statement_version
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_statement();
CREATE TRIGGER statement_line_is_not_emptied BEFORE TRUNCATE ON statement_line
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_statement();
CREATE TRIGGER statement_usage_is_not_emptied BEFORE TRUNCATE ON statement_usage
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_statement();
CREATE TRIGGER audit_record_is_not_emptied BEFORE TRUNCATE ON audit_record
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit_record()
