"""What leaves for other systems: workbooks of a month, and its lines for the general ledger."""
