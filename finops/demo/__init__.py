"""A made-up company whose model traffic is fitted to public traces, for `make demo`."""
