"""The month's books: months that are closed stay as they were sent, whatever arrives later."""
