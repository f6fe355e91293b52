"""Putting a file into an S3-compatible bucket: one PUT to an address that is signed beforehand.

obstore signs (AWS Signature Version 4, which every S3-compatible server knows) and asks nobody;
the request itself goes the way of every address that users give, through finops.outbound.
"""

from __future__ import annotations

import base64
import html
import json
import re
from datetime import datetime, timedelta
from typing import IO, TYPE_CHECKING

import httpx
import obstore
from django.conf import settings
from obstore.store import S3Store

from finops import outbound
from finops.books import streaming
from finops.channels import guard, outcomes
from finops.channels.outcomes import Outcome
from finops.channels.secrets import Unreadable, unseal
from finops.models import ExportSchedule
from finops.outbound import Answer, Bounds, Refused
from finops.scheduled_exports.files import Made

if TYPE_CHECKING:
    from obstore.store import S3Credential

SIGNED_FOR = timedelta(hours=1)
# For one attempt, whatever its size: so long a worker's thread waits at most.
SECONDS = 600.0
# What one PUT may bring, by the rules of S3.
MOST_BYTES = 5 * 1024**3
MANIFEST = "_manifest.json"


def put(schedule: ExportSchedule, made: Made, file: IO[bytes], now: datetime) -> Outcome:
    """A closed version among the versions; then the month's file, and its manifest last: who finds
    that finds a whole file beside it. Of a version that was closed again since, the first alone."""
    if made.size > MOST_BYTES:
        return outcomes.refused(f"{made.size:,} bytes are more than a bucket takes at once.")
    month, version = f"month={made.summary.month:%Y-%m}", made.summary.version
    places = [f"_versions/{month}/{made.name}"] if version else []
    newest = streaming.newest(made.summary.month)
    is_current = newest.version == version if newest else version is None
    places += [f"{month}/{made.plain_name}"] if is_current else []
    for place in places:
        file.seek(0)
        done = _put(schedule, key_of(schedule, place), made.content_type, file, made.md5)
        if done.result != outcomes.Result.SENT:
            return done
    if not is_current:
        return done
    manifest = json.dumps(manifest_of(schedule, made, now), indent=2).encode()
    return _put(schedule, key_of(schedule, f"{month}/{MANIFEST}"), "application/json", manifest)


def key_of(schedule: ExportSchedule, place: str) -> str:
    """A folder for each format, with one file for each month: whoever reads all of it counts
    nothing twice. What begins with an underscore query engines leave out."""
    prefix = f"{schedule.prefix.strip('/')}/" if schedule.prefix.strip("/") else ""
    return f"{prefix}{schedule.format}/{place}"


def manifest_of(schedule: ExportSchedule, made: Made, now: datetime) -> dict[str, object]:
    return {
        "file": made.plain_name,
        "bytes": made.size,
        "sha256": made.sha256,
        "content_type": made.content_type,
        "export": schedule.name,
        "month": f"{made.summary.month:%Y-%m}",
        "status": "draft" if made.summary.version is None else "closed",
        "version": made.summary.version,
        "currency": made.summary.currency,
        "total_cost": made.summary.amounts["total_cost"],
        "unpriced_requests": made.summary.unpriced,
        "pending_events": made.summary.pending,
        "created_at": now.isoformat(),
    }


def _put(
    schedule: ExportSchedule,
    key: str,
    content_type: str,
    body: IO[bytes] | bytes,
    md5: bytes | None = None,
) -> Outcome:
    headers = {"Content-Type": content_type, "User-Agent": "Farthing"}
    if md5:  # what came otherwise than it was sent is refused
        headers["Content-MD5"] = base64.b64encode(md5).decode()
    try:
        url = signed_url(schedule, key)
        answer = outbound.send("PUT", url, body, headers=headers, bounds=bounds())
    except Unreadable:
        return outcomes.refused(
            "SECRET_KEY is not the one that the bucket's keys were stored under. Enter them again."
        )
    except Refused as error:
        return guard.outcome_of(error)
    return answered(answer)


def bounds() -> Bounds:
    return Bounds(seconds=SECONDS, permitted=settings.ALLOWED_PRIVATE_ADDRESSES)


def signed_url(schedule: ExportSchedule, key: str) -> str:
    """Raises Unreadable."""
    keys: S3Credential = {
        "access_key_id": schedule.access_key_id,
        "secret_access_key": unseal(schedule.secret).get("secret_access_key", ""),
        "token": None,
        "expires_at": None,
    }
    # Everything is said, as what is not may come out of this process's environment.
    store = S3Store(
        schedule.bucket,
        endpoint=host_of(schedule),
        region=schedule.region,
        virtual_hosted_style_request=not schedule.path_style,
        skip_signature=False,
        s3_express=False,
        request_payer=False,
        credential_provider=lambda: keys,
        client_options={"allow_http": True},  # what may be asked is for outbound to say
    )
    return obstore.sign(store, "PUT", key, SIGNED_FOR)


def host_of(schedule: ExportSchedule) -> str:
    endpoint = endpoint_of(schedule)
    if schedule.path_style:
        return endpoint
    url = httpx.URL(endpoint)
    return str(url.copy_with(host=f"{schedule.bucket}.{url.host}")).rstrip("/")


def endpoint_of(schedule: ExportSchedule) -> str:
    suffix = ".cn" if schedule.region.startswith("cn-") else ""
    default = f"https://s3.{schedule.region}.amazonaws.com{suffix}"
    return schedule.endpoint.rstrip("/") or default


def answered(answer: Answer) -> Outcome:
    """Keys and policies are mended by people meanwhile: what is refused is tried again too."""
    if 200 <= answer.status < 300:
        return outcomes.sent(answer.status)
    if 300 <= answer.status < 400:
        said = "another endpoint or region is meant; redirects are not followed"
    else:
        said = words_of(answer)
    return outcomes.later(f"The bucket answered {answer.status}: {said}", answer.status)


def words_of(answer: Answer) -> str:
    """Code and message of S3's XML, where it is that."""
    text = answer.body.decode(errors="replace")
    found = (re.search(rf"<{name}>([^<]*)</{name}>", text) for name in ("Code", "Message"))
    said = ": ".join(html.unescape(each[1]) for each in found if each)
    return outcomes.plain((said or text).encode())
