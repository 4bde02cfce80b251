"""Where a key is looked for, and where it is put."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from qpm_lab.errors import InputError
from qpm_lab.secrets import MAX_BYTES, Secrets, Stored, keyrings

from . import fakes

VALUE = "k3y/value+with=signs"
Allow = Callable[[str], None]


def value_of(secrets: Secrets, name: str) -> str | None:
    found = secrets.get(name)
    return None if found is None else found.reveal()


def place(path: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def test_what_is_nowhere_is_none(secrets: Secrets) -> None:
    """Neither a value nor a place, and nothing is made by asking."""
    assert secrets.get("ionq") is None
    assert secrets.where("ionq") is None
    assert secrets.names() == []
    assert not (secrets._home / "secrets").exists()


def test_a_key_goes_into_the_keyring_where_one_works(secrets: Secrets, keyring: Allow, home: Path) -> None:
    """And into no file."""
    keyring("Kept")
    assert secrets.set("ionq", VALUE) == "keyring"
    assert (value_of(secrets, "ionq"), secrets.where("ionq")) == (VALUE, "keyring")
    assert secrets.names() == [Stored("ionq", "keyring")]
    assert all(VALUE not in path.read_text() for path in home.rglob("*") if path.is_file())
    assert secrets.delete("ionq") == ["keyring"]
    assert (secrets.get("ionq"), secrets.names()) == (None, [])


def test_a_key_that_moves_into_the_keyring_leaves_no_file_behind(secrets: Secrets, keyring: Allow, home: Path) -> None:
    """An old copy would be read again once the keyring is locked."""
    secrets.set("ionq", "the-old-value")
    keyring("Kept")
    again = Secrets(home, secrets.redact)
    assert again.set("ionq", VALUE) == "keyring"
    assert list((home / "secrets").iterdir()) == []


def test_only_keyrings_of_the_list_are_used(secrets: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not one that is installed, preferred and asked for by the environment, but writes plain text."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"{fakes.HERE}.PlainText")
    monkeypatch.setattr(keyrings, "ALLOWED", (f"{fakes.HERE}:Failing", "no.such.module:Keyring"))
    assert secrets.set("ionq", VALUE) == "file"
    assert fakes.PlainText.values == {}


def test_the_list_holds_the_systems_own_keyrings() -> None:
    """Each is there in the installed library, and none of the plain-text family."""
    import importlib

    from qpm_lab.secrets import keyrings as fresh

    listed = importlib.reload(fresh).ALLOWED
    assert [path.split(".")[2].split(":")[0] for path in listed] == ["SecretService", "kwallet", "macOS", "Windows"]
    assert all(fresh._class(path).__name__ for path in listed)


@pytest.mark.parametrize("name", ["Locked", "Forgetful"])
def test_a_keyring_that_does_not_keep_a_key_is_not_relied_on(secrets: Secrets, keyring: Allow, name: str) -> None:
    """The file is, and found."""
    keyring(name)
    assert secrets.set("ionq", VALUE) == "file"
    assert value_of(secrets, "ionq") == VALUE


def test_a_locked_keyring_is_told_when_the_key_is_nowhere_else(secrets: Secrets, keyring: Allow) -> None:
    """With what to do, and without what the keyring says."""
    keyring("Locked")
    with pytest.raises(InputError, match=r"The keyring cannot be read \(KeyringLocked\)") as raised:
        secrets.get("ionq")
    assert "QPM_KEYRING=off" in raised.value.hint
    assert secrets.where("ionq") is None


def test_a_keyring_that_holds_an_earlier_value_is_not_passed_by(secrets: Secrets, keyring: Allow, home: Path) -> None:
    """The old value would be found before the new one."""
    keyring("Kept")
    secrets.set("ionq", "the-old-value")
    keyring("Locked")
    with pytest.raises(InputError, match="cannot be written") as raised:
        Secrets(home, secrets.redact).set("ionq", VALUE)
    assert VALUE not in str(raised.value)


def test_the_keyring_can_be_switched_off(secrets: Secrets, keyring: Allow, monkeypatch: pytest.MonkeyPatch) -> None:
    """For machines where asking it would wait for somebody."""
    keyring("Kept")
    monkeypatch.setenv("QPM_KEYRING", "off")
    assert secrets.set("ionq", VALUE) == "file"


@pytest.mark.parametrize(
    ("name", "file"), [("ionq", "ionq"), ("braket/secret_access_key", "braket__secret_access_key")]
)
def test_without_a_keyring_a_key_is_a_file_for_its_owner_only(
    secrets: Secrets, home: Path, name: str, file: str
) -> None:
    """0600 in a folder of 0700, whatever the umask, and no half of it beside."""
    before = os.umask(0)
    try:
        assert secrets.set(name, "the-old-value") == "file"
        assert secrets.set(name, VALUE) == "file"
    finally:
        os.umask(before)
    folder = home / "secrets"
    assert [path.name for path in folder.iterdir()] == [file]
    assert stat.S_IMODE((folder / file).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (value_of(secrets, name), secrets.where(name)) == (VALUE, "file")
    assert secrets.names() == [Stored(name, "file")]
    assert secrets.delete(name) == ["file"]
    assert secrets.get(name) is None


def test_the_order_is_keyring_then_files_then_environment(
    secrets: Secrets, keyring: Allow, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is found once those before it are gone."""
    monkeypatch.setenv("QPM_SECRET_BRAKET_SECRET_ACCESS_KEY", "from-environment")
    name = "braket/secret_access_key"
    assert value_of(secrets, name) == "from-environment"
    assert secrets.where(name) == "environment QPM_SECRET_BRAKET_SECRET_ACCESS_KEY"
    assert secrets.names() == [Stored(name, "environment QPM_SECRET_BRAKET_SECRET_ACCESS_KEY")]
    place(home / "secrets" / "braket__secret_access_key", "from-file\n")
    assert (value_of(secrets, name), secrets.where(name)) == ("from-file", "file")
    keyring("Kept")
    fakes.Kept.values["qpm_lab", name] = "from-keyring"
    again = Secrets(home, secrets.redact)
    assert (value_of(again, name), again.where(name)) == ("from-keyring", "keyring")


def test_what_comes_from_outside_is_not_deleted_and_says_where_it_is(
    secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor what is not there."""
    with pytest.raises(InputError, match="No key of that name is stored here"):
        secrets.delete("ionq")
    monkeypatch.setenv("QPM_SECRET_IONQ", VALUE)
    with pytest.raises(InputError, match="given from outside: environment QPM_SECRET_IONQ"):
        secrets.delete("ionq")


def test_a_mount_as_kubernetes_makes_it_is_read(
    secrets: Secrets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Links to a dated folder beside them, read-only; in one folder or one of each provider."""
    mount = tmp_path / "mount"
    place(mount / "..2026_11_22" / "ionq", f"{VALUE}\n", 0o444)
    place(mount / "braket" / "region", "eu-north-1\r\n", 0o400)
    (mount / "..data").symlink_to("..2026_11_22")
    (mount / "ionq").symlink_to("..data/ionq")
    monkeypatch.setenv("QPM_SECRETS_DIR", str(mount))
    assert value_of(secrets, "ionq") == VALUE
    assert value_of(secrets, "braket/region") == "eu-north-1"
    assert secrets.names() == [Stored("braket/region", "file"), Stored("ionq", "file")]
    with pytest.raises(InputError, match="comes first"):
        secrets.set("ionq", "another-value")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o444])
def test_a_file_of_the_home_that_others_can_read_is_refused(secrets: Secrets, home: Path, mode: int) -> None:
    """With the command that mends it; the list names it too."""
    path = place(home / "secrets" / "ionq", VALUE, mode)
    with pytest.raises(InputError, match="Others can read") as raised:
        secrets.get("ionq")
    assert f"chmod 600 {path}" in raised.value.hint
    assert VALUE not in str(raised.value)
    assert secrets.where("ionq") is None
    (listed,) = secrets.names()
    assert listed.store.startswith("unusable: Others can read")


def test_a_mounted_file_that_its_owner_could_protect_is_refused_too(
    secrets: Secrets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only read-only ones, and those of another owner, cannot be."""
    place(tmp_path / "mount" / "ionq", VALUE, 0o644)
    monkeypatch.setenv("QPM_SECRETS_DIR", str(tmp_path / "mount"))
    with pytest.raises(InputError, match="Others can read"):
        secrets.get("ionq")


def test_no_link_leads_out_of_the_folder(secrets: Secrets, home: Path, tmp_path: Path) -> None:
    """Neither a file nor a subfolder."""
    outside = place(tmp_path / "elsewhere" / "region", VALUE)
    (home / "secrets").mkdir(parents=True)
    (home / "secrets" / "ionq").symlink_to(outside)
    (home / "secrets" / "braket").symlink_to(outside.parent)
    for name in ("ionq", "braket/region"):
        with pytest.raises(InputError, match="leads out of its folder"):
            secrets.get(name)


@pytest.mark.parametrize("data", [b"x" * (MAX_BYTES + 2), b"\xff\xfe\xfd12345", b"qwxyz", b"\n", b"nul\0value"])
def test_what_is_no_secret_is_refused_without_showing_it(secrets: Secrets, home: Path, data: bytes) -> None:
    """Too large, not text, too short."""
    place(home / "secrets" / "ionq", data)
    with pytest.raises(InputError) as raised:
        secrets.get("ionq")
    assert data.decode(errors="replace").strip("\n")[:5] not in str(raised.value) or not data.strip()


def test_a_pipe_or_folder_in_place_of_a_file_does_not_hang(secrets: Secrets, home: Path) -> None:
    """A pipe is refused; a folder is not a secret of its own."""
    (home / "secrets" / "braket").mkdir(parents=True)
    os.mkfifo(home / "secrets" / "ionq", 0o600)
    assert secrets.get("braket") is None
    with pytest.raises(InputError, match="is not a file"):
        secrets.get("ionq")


@pytest.mark.parametrize("text", ["line one\nline two", "ends in newlines\n\n", "tab\tand ünïcode", " spaces around "])
def test_a_value_comes_back_as_it_was_given(secrets: Secrets, text: str) -> None:
    """A private key has many lines."""
    secrets.set("ibm", text)
    assert value_of(secrets, "ibm") == text


@pytest.mark.parametrize("value", ["", "12345", "        ", "nul\0value", "\ud800surrogate", "x" * (MAX_BYTES + 1)])
def test_a_value_that_cannot_be_kept_hidden_is_refused(secrets: Secrets, value: str) -> None:
    """Shorter than six characters, or not text of a sane size."""
    with pytest.raises(InputError):
        secrets.set("ionq", value)
    assert secrets.names() == []


@pytest.mark.parametrize(
    "name",
    ["", "Ionq", "../ionq", "ionq/", "/ionq", "a/b/c", "a__b", "ionq\n", "1q", "a b", "a/../b", "x" * 101, "ionq/.."],
)
def test_a_name_is_a_provider_and_at_most_one_field(secrets: Secrets, name: str) -> None:
    """Anything else is refused unrepeated: it may be a value in the wrong place."""
    for ask in (secrets.get, secrets.where, secrets.delete, lambda n: secrets.set(n, VALUE)):
        with pytest.raises(InputError) as raised:
            ask(name)
        assert raised.value.message == "This is not the name of a secret."
