-- What a journal was first made with stays, as the statement does.
CREATE TRIGGER journal_accounts_stay BEFORE UPDATE OR DELETE ON journal_accounts
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_statement()
