"""Asking an address that a user gave, without being led to what only this machine may ask."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import IO

import httpx

MOST_BYTES = 1024 * 1024
SECONDS = 10.0
SILENCE = 60.0
AT_ONCE = 64 * 1024

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# IANA's special-purpose registries, written down: `is_global` of Python lets parts of 192.0.0.0/24
# pass, and does not look into addresses that carry another one.
NOT_PUBLIC: tuple[Network, ...] = tuple(
    ipaddress.ip_network(each)
    for each in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
)
# Of IPv6 only what is given out to the world, less what carries, documents or tests something.
PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
NOT_PUBLIC_6: tuple[Network, ...] = tuple(
    ipaddress.ip_network(each)
    for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48")
)


class Refused(ValueError):
    """The address may not be asked, or did not answer within bounds; the message says why."""


class NeverAsked(Refused):
    """By what is written in the URL itself, so that another attempt ends like this one."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)  # names in small letters


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far to go: `seconds` for everything together, look-up included.

    `permitted` are networks that are not public and may be asked all the same, over http:// and at
    any port too: whoever runs the server has said so.
    """

    schemes: frozenset[str] = frozenset({"https"})
    ports: frozenset[int] = frozenset({443, 8443})
    most_bytes: int = MOST_BYTES
    seconds: float = SECONDS
    permitted: tuple[Network, ...] = ()


def send(
    method: str,
    url: str,
    body: bytes | IO[bytes] = b"",
    *,
    headers: Mapping[str, str] | None = None,
    bounds: Bounds = Bounds(),
) -> Answer:
    """Ask a URL that a user gave; raises Refused. What a file holds from where it stands on is
    sent as it is read.

    Its name is looked up once, every address it has must be public, and the connection goes to one
    that was checked, so that a second look-up cannot lead elsewhere. A redirect is an answer like
    any other and is not followed.
    """
    asked_of = parsed(url, bounds)
    try:
        asked = _send(method, asked_of, body, headers or {}, bounds)
        return asyncio.run(asyncio.wait_for(asked, bounds.seconds))
    except TimeoutError:
        raise Refused(f"{asked_of.host} took longer than {bounds.seconds:g} s.") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Refused(f"{asked_of.host} did not answer: {error or type(error).__name__}") from None


def is_permitted(address: Address, permitted: tuple[Network, ...]) -> bool:
    return any(address in network for network in permitted)


def refuse_inside(host: str, found: list[Address], permitted: tuple[Network, ...]) -> None:
    """Raises Refused where the host leads to an address that may not be asked."""
    for address in found:
        if not is_public(address) and not is_permitted(address, permitted):
            raise Refused(f"{host} leads to {address}, which is not an address of the Internet.")
    if not found:
        raise Refused(f"{host} has no address.")


def is_public(address: Address) -> bool:
    """Whether the whole Internet means the same machine by it."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in NOT_PUBLIC)
    # What is mapped, translated or tunnelled is outside of it: an IPv4 address is asked as one.
    return (
        address in PUBLIC_6
        and address.scope_id is None
        and not any(address in network for network in NOT_PUBLIC_6)
    )


def parsed(url: str, bounds: Bounds) -> httpx.URL:
    """Raises NeverAsked for what can be told without looking a name up."""
    try:
        found = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise NeverAsked(f"This is no URL: {error}.") from None
    if found.userinfo:
        raise NeverAsked("The URL must not hold a user name or a password.")
    address = _literal(found.host)
    if address and not is_public(address) and not is_permitted(address, bounds.permitted):
        raise NeverAsked(f"{found.host} is not an address of the Internet.")
    may_be_inside = bounds.permitted and (not address or is_permitted(address, bounds.permitted))
    if not (may_be_inside and found.scheme in {"http", "https"} and found.host):
        _refuse_way(found, bounds)
    return found


def _literal(host: str) -> Address | None:
    """The address that a host is itself, in any way to write it; None for a name."""
    if host == "localhost" or host.endswith(".localhost"):
        return ipaddress.IPv4Address("127.0.0.1")
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))  # 127.1, 0x7f.1, 2130706433
    except (OSError, UnicodeError):
        return None


def _refuse_way(url: httpx.URL, bounds: Bounds) -> None:
    """Of what is asked over the Internet."""
    if url.scheme not in bounds.schemes or not url.host:
        named = " or ".join(f"{scheme}://" for scheme in sorted(bounds.schemes))
        raise NeverAsked(f"The URL must begin with {named} and name a host.")
    if _port(url) not in bounds.ports:
        among = " or ".join(map(str, sorted(bounds.ports)))
        raise NeverAsked(f"The port must be {among}.")


def _port(url: httpx.URL) -> int:
    return url.port or {"http": 80}.get(url.scheme, 443)


async def _send(
    method: str,
    url: httpx.URL,
    body: bytes | IO[bytes],
    more: Mapping[str, str],
    bounds: Bounds,
) -> Answer:
    address = await _checked(url.host, _port(url), bounds)
    if not is_permitted(address, bounds.permitted):
        try:
            _refuse_way(url, bounds)
        except NeverAsked as error:  # unless the name leads inside another time
            raise Refused(str(error)) from None
    headers = {"Content-Type": "application/json"} if body else {}
    headers |= {**more, "Host": url.netloc.decode(), "Accept-Encoding": "identity"}
    if not isinstance(body, bytes):  # or it would be sent in chunks, which buckets refuse
        headers["Content-Length"] = str(os.fstat(body.fileno()).st_size - body.tell())
    # TLS checks the certificate against the name. A proxy would look it up again, so none is used.
    async with (
        # A file may take long, but not the silence in between.
        httpx.AsyncClient(timeout=min(bounds.seconds, SILENCE), trust_env=False) as client,
        client.stream(
            method,
            url.copy_with(host=str(address)),
            content=body if isinstance(body, bytes) else _parts(body),
            headers=headers,
            extensions={"sni_hostname": url.host},
        ) as answer,
    ):
        taken = bytearray()
        async for part in answer.aiter_raw():
            taken += part
            if len(taken) > bounds.most_bytes:
                raise Refused(f"{url.host} sent more than {bounds.most_bytes} bytes.")
        kind = answer.headers.get("content-type", "")
        return Answer(answer.status_code, kind, bytes(taken), dict(answer.headers))


async def _parts(file: IO[bytes]) -> AsyncIterator[bytes]:
    while part := file.read(AT_ONCE):
        yield part


async def _checked(host: str, port: int, bounds: Bounds) -> Address:
    """One of the host's addresses, all of which are public or permitted."""
    look_up = asyncio.get_running_loop().getaddrinfo
    try:
        entries = await look_up(host, port, type=socket.SOCK_STREAM)
        found = [ipaddress.ip_address(entry[4][0]) for entry in entries]
    except (OSError, UnicodeError, ValueError) as error:
        raise Refused(f"{host} has no address: {error}") from None
    refuse_inside(host, found, bounds.permitted)
    return found[0]
