"""A month's allocation as FOCUS has it: the FinOps Open Cost and Usage Specification, 1.2.

With the columns of 1.3 that say how shared cost was split, and who serves and hosts. One row is one
price times one quantity, or one share of what was paid beside requests. EffectiveCost adds up to
the month's total cost, and by x_AllocationColumn to each column of the allocation.
Specification: https://focus.finops.org/focus-specification/v1-2

    months    what every row of a month says
    cells     values as the specification wants them written
    columns   the columns, in their order
    prices    price lines in their own currency, and in that of the books
    usage     rows of requests, from quantities and the price lines that rated them
    shares    rows of what was shared out, and of corrections of closed months
    metadata  what accompanies the file
"""
