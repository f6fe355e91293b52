"""FinOps turns stored usage events into money and decisions."""
