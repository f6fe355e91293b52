"""What requests were rated by: price lines as they were agreed, and in the currency of the books.

FOCUS keeps the pricing currency apart from the billing currency. A bucket is priced in the currency
of the line that gave its effective price: that of the contract's own price, else of the list
price, as a discount is in none. A list price in a third currency is brought into the pricing
currency by the same day's rates, so that both unit prices can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from finops.exchange import Fixing
from finops.focus.months import Row
from finops.pricing.formula import EXACT, Quantities, RatedBucket, Rating, in_currency, rate
from finops.pricing.formula import unit_prices as own_prices
from finops.pricing.lines import BUCKETS, PriceLine


@dataclass(frozen=True, slots=True)
class Lines:
    """A list line and a contract line in their own currencies, and the rates that brought them into
    the currency of the books; None where both are in it."""

    listed: PriceLine
    contract: PriceLine | None = None
    fixing: Fixing | None = None

    def rate(self, quantities: Quantities, currency: str) -> Rating:
        """In the currency of the books. Raises KeyError where the rates do not know one."""
        contract = self.contract and self.converted(self.contract, currency)
        return rate(quantities, self.converted(self.listed, currency), contract)

    def converted(self, line: PriceLine, currency: str) -> PriceLine:
        if line.currency == currency or not line.has_prices:
            return line
        return in_currency(line, currency, self.factor(line.currency, currency))

    def factor(self, currency: str, into: str) -> Decimal:
        if currency == into:
            return Decimal(1)
        if self.fixing is None:
            raise KeyError(currency)
        return self.fixing.factor(currency, into)

    def in_own_currency(self, bucket: RatedBucket) -> Row:
        """The columns of the pricing currency: price × quantity is the cost there too."""
        index = BUCKETS.index(bucket.bucket)
        listed, contracted = (each[index] for each in own_prices(self.listed, self.contract))
        agreed = self.contract
        is_agreed = agreed is not None and agreed.prices[index] is not None
        currency = agreed.currency if agreed and is_agreed else self.listed.currency
        if listed is not None and self.listed.prices[index] is not None:
            listed = EXACT.multiply(listed, self.factor(self.listed.currency, currency))
        return {
            "PricingCurrency": currency,
            "PricingCurrencyListUnitPrice": listed,
            "PricingCurrencyContractedUnitPrice": contracted,
            "PricingCurrencyEffectiveCost": EXACT.multiply(
                Decimal(bucket.quantity or 0), contracted or Decimal(0)
            ),
        }
