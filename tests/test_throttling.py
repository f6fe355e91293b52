"""Guessing passwords locks out whoever guesses, and nobody else."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.test import Client

from finops import devices
from finops.models import AuditRecord

RIGHT = {"username": "ada", "password": "correct horse battery"}
WRONG = RIGHT | {"password": "wrong"}
GUESSER, HOME, ELSEWHERE = "203.0.113.7", "198.51.100.1", "198.51.100.2"


def come_in(client: Client, address: str) -> bool:
    answer = client.post("/sign-in", RIGHT, REMOTE_ADDR=address)
    return answer.status_code == 302


def guess(times: int, address: str = GUESSER, client: Client | None = None, **entered: str) -> str:
    client = client or Client()
    for _ in range(times):
        answer = client.post("/sign-in", WRONG | entered, REMOTE_ADDR=address)
    return answer.text


def test_fifty_wrong_passwords_lock_out_the_guesser_and_no_device_of_the_user(
    administrator: User,
) -> None:
    known, open_session = Client(), Client()
    for client in (known, open_session):
        assert come_in(client, HOME)
    known.post("/sign-out")
    assert "Too many wrong attempts" in guess(50)
    assert not come_in(Client(), GUESSER), "even with the right password"
    assert open_session.get("/").status_code == 200
    assert come_in(known, HOME)
    assert come_in(Client(), ELSEWHERE), "a new device elsewhere"


def test_a_known_device_signs_in_even_from_the_address_of_the_guesser(administrator: User) -> None:
    known = Client()
    assert come_in(known, GUESSER)
    known.post("/sign-out")
    guess(50)
    assert come_in(known, GUESSER)


def test_guesses_from_many_addresses_close_an_account_to_strangers_only(
    administrator: User,
) -> None:
    known = Client()
    assert come_in(known, HOME)
    known.post("/sign-out")
    for number in range(3):
        guess(20, f"203.0.113.{number}")
    assert not come_in(Client(), ELSEWHERE)
    assert come_in(known, HOME)


def test_a_known_device_has_its_own_number_of_attempts(administrator: User) -> None:
    stolen = Client()
    assert come_in(stolen, HOME)
    stolen.post("/sign-out")
    assert "Too many wrong attempts" in guess(21, client=stolen)
    assert come_in(Client(), HOME)


def test_a_device_of_somebody_else_is_not_known(administrator: User) -> None:
    User.objects.create_superuser("mallory", "mallory@example.org", RIGHT["password"])
    mallory = Client()
    mallory.post("/sign-in", RIGHT | {"username": "mallory"}, REMOTE_ADDR=GUESSER)
    mallory.post("/sign-out")
    assert "Too many wrong attempts" in guess(21, client=mallory)
    assert come_in(Client(), HOME)


def test_a_forged_cookie_makes_no_device_known() -> None:
    known = devices.Device("device").with_user(1)
    assert devices.read(known.cookie()).knows(1)
    assert not devices.read(known.cookie() + "x").users
    assert not devices.read(None).users


def test_names_and_addresses_of_mail_count_for_the_same_account(administrator: User) -> None:
    for number in range(3):
        name = "ADA@example.org" if number % 2 else "Ada"
        guess(20, f"203.0.113.{number}", username=name)
    assert not come_in(Client(), ELSEWHERE)


def test_a_lock_out_is_in_the_audit_log_once(administrator: User) -> None:
    guess(25)
    guess(5, username="my secret passphrase")
    records = list(AuditRecord.objects.filter(action="sign-in.lock").order_by("id"))
    assert [(each.subject, each.address) for each in records] == [
        ("ada", GUESSER),
        ("unknown names", GUESSER),
    ]


def test_right_passwords_are_not_counted(administrator: User) -> None:
    for _ in range(25):
        assert come_in(Client(), HOME)
