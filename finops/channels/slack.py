"""Alerts in Slack: Block Kit through slack_sdk's client of incoming webhooks, within its limits."""

from __future__ import annotations

import json
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    DividerBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)
from slack_sdk.webhook import WebhookClient, WebhookResponse

from finops import outbound
from finops.channels import outcomes, wording
from finops.channels.guard import bounds, outcome_of
from finops.channels.messages import SEVERITY_WORDS, Message, Told
from finops.channels.outcomes import Outcome
from finops.outbound import Refused

HOSTS = frozenset({"hooks.slack.com", "hooks.slack-gov.com"})
SECONDS_BETWEEN = 1.0  # what Slack allows an incoming webhook
PERMANENT = frozenset({403, 404, 410})
MARKS = {
    "note": ":white_circle:",
    "info": ":large_blue_circle:",
    "warning": ":large_orange_circle:",
    "critical": ":red_circle:",
}
# Of Block Kit, but for the whole, which Slack cuts off at some 13,200 characters.
SECTION, FIELDS, FALLBACK, LINK = 3000, 10, 3000, 3000
FIELD = 900  # of 2,000: ten of them leave room for the rest
ASIDE = frozenset({"Team", "Figures up to"})
LISTED, LISTED_TITLE = 20, 300


class GuardedClient(WebhookClient):
    """slack_sdk's client, whose request goes through the guard: its own would look the name up
    again and follow redirects."""

    def _perform_http_request(
        self, *, body: dict[str, Any], headers: dict[str, str]
    ) -> WebhookResponse:
        answer = outbound.send(
            "POST", self.url, json.dumps(body).encode(), headers=headers, bounds=bounds()
        )
        text = answer.body.decode(errors="replace")
        return WebhookResponse(
            url=self.url, status_code=answer.status, body=text, headers=dict(answer.headers)
        )


def send(message: Message, url: str) -> Outcome:
    try:
        answer = GuardedClient(url).send(text=fallback(message), blocks=blocks(message))
    except Refused as error:
        return outcome_of(error)
    status, said = answer.status_code, outcomes.plain(answer.body.encode())
    if status == 200:
        return outcomes.sent(status)
    said = f"Slack answered {status} {said}".strip()
    if status in PERMANENT:
        return outcomes.gone(said, status)
    if status == 429 or status >= 500:
        wait = outcomes.wait_of(answer.headers, message.sent_at)
        return outcomes.later(said, status, wait=wait)
    return outcomes.refused(said, status)


def fallback(message: Message) -> str:
    """For notifications, and for what reads no blocks."""
    word = SEVERITY_WORDS[message.severity]
    titles = "; ".join(each.title for each in message.worst_first[:LISTED])
    return cut(
        escaped(f"{word}: {message.headline}" + (f": {titles}" if message.is_digest else ""))
    )


def blocks(message: Message) -> list[Block]:
    return digest(message) if message.is_digest else single(message)


def single(message: Message) -> list[Block]:
    told = message.first
    lines = wording.lines(told, message.zone, message.sent_at)
    fields = [
        MarkdownTextObject(text=cut(f"*{escaped(line.label)}*\n{escaped(line.text)}", FIELD))
        for line in [each for each in lines if each.label not in ASIDE][:FIELDS]
    ]
    found: list[Block] = [SectionBlock(text=MarkdownTextObject(text=cut(headline(told, message))))]
    if fields:
        found.append(SectionBlock(fields=fields))
    for group in wording.groups(told.facts):
        rows = "\n".join(f"{escaped(name)}: {cost} ({change})" for name, cost, change in group.rows)
        text = cut(f"*{escaped(group.title)}*\n{rows}")
        found.append(SectionBlock(text=MarkdownTextObject(text=text)))
    days = wording.bars(told.facts)
    aside = [f"{line.label}: {line.text}" for line in lines if line.label in ASIDE]
    # Not as code, which Slack writes in red.
    chart = [f"{wording.sparkline(told.facts)}  {wording.caption(days)}"] if len(days) > 1 else []
    for text in (*chart, " · ".join(aside)):
        if text:
            held = MarkdownTextObject(text=cut(escaped(text), FIELD))
            found.append(ContextBlock(elements=[held]))
    return [*found, *button(message.link(told), "Open in Farthing")]


def digest(message: Message) -> list[Block]:
    """One line an alert, since a storm is read as a list."""
    text = f"*{escaped(message.headline)}*, told together"
    found: list[Block] = [SectionBlock(text=MarkdownTextObject(text=text)), DividerBlock()]
    for told in message.worst_first[:LISTED]:
        title = cut(escaped(told.title), LISTED_TITLE)
        where = message.link(told)
        line = f"{MARKS[told.severity]} <{where}|{title}>" if len(where) < LINK else title
        found.append(SectionBlock(text=MarkdownTextObject(text=line)))
    if len(message.alerts) > LISTED:
        more = MarkdownTextObject(text=f"and {len(message.alerts) - LISTED} more")
        found.append(ContextBlock(elements=[more]))
    return [*found, *button(f"{message.site}/alerts", "All alerts")]


def headline(told: Told, message: Message) -> str:
    word = SEVERITY_WORDS[told.severity]
    return f"{MARKS[told.severity]} *{word}*: {escaped(message.headline)}"


def button(url: str, label: str) -> list[Block]:
    if len(url) > LINK:
        return []
    return [ActionsBlock(elements=[ButtonElement(text=PlainTextObject(text=label), url=url)])]


def escaped(text: str) -> str:
    """So that no name of a budget or a user can mention somebody, or be a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str, longest: int = SECTION) -> str:
    """At a place that leaves no half of an escaped character."""
    if len(text) <= longest:
        return text
    kept = text[: longest - 1]
    start = kept.rfind("&", len(kept) - 5)
    return (kept[:start] if start >= 0 and ";" not in kept[start:] else kept) + "…"
