-- The audit log only grows: whoever holds the application's role cannot rewrite it by mistake.
CREATE FUNCTION refuse_change_of_audit_record() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_record is append-only: write another record instead';
END
$$;
CREATE TRIGGER audit_record_is_append_only BEFORE UPDATE OR DELETE ON audit_record
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_audit_record()
