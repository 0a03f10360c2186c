"""Parts that the reports of both studies share."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.measure.study.claims import DEPENDS, FAILS, HOLDS, OPEN, UNDECIDED, Claim
from explorer.measure.study.page import Page


def add_claims(page: Page, claims: Sequence[Claim], about: str, caption: str) -> None:
    """Add the section that says which claims hold.

    Parameters
    ----------
    about : str
        Explains the verdicts; it follows the numbers of claims.
    caption : str
        Caption of the table.
    """
    page.heading("Which claims hold")
    counts = {kind: sum(claim.verdict == kind for claim in claims) for kind in (HOLDS, DEPENDS, FAILS, UNDECIDED, OPEN)}
    counted = ", ".join(f"{kind} {count}" for kind, count in counts.items() if count)
    page.text(f"Of {len(claims)} claims: {counted}. {about}")
    page.table(
        ("claim", "verdict", "published", "where", "measured", "criterion"),
        [(c.claim, c.verdict, c.published, c.place, c.measured, c.criterion) for c in claims],
        caption,
    )
