"""A real JupyterLab over the checkout's extensions and kernel, and a real browser in front of it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from qpm_lab.doubles.double import Double
from tests.display.gallery import FLAGS, browser_path

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "test-output" / "browser"
START_SECONDS = 120
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # Cells out of sight stay in the page, where the tests look for them.
    "notebook-extension/tracker": {"windowingMode": "none"},
}


@dataclass(frozen=True, slots=True)
class JupyterLab:
    """A running server; `notebooks` is its root folder, `home` its QPM_HOME."""

    url: str
    token: str
    notebooks: Path
    home: Path

    def address(self, notebook: str = "") -> str:
        path = f"lab/tree/{notebook}" if notebook else "lab"
        return f"{self.url}/{path}?reset&token={self.token}"


@pytest.fixture(scope="session")
def jupyterlab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """JupyterLab with nothing of the user's: own home, settings, workspaces and notebooks."""
    folder = tmp_path_factory.mktemp("jupyter")
    (folder / "notebooks").mkdir()
    shutil.copy(ROOT / "notebooks" / "quickstart.ipynb", folder / "notebooks")
    lab = JupyterLab(
        f"http://127.0.0.1:{free_port()}", secrets.token_hex(16), folder / "notebooks", folder / "qpm-home"
    )
    install_from_checkout(folder)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    with (OUTPUT / "jupyterlab.log").open("w") as log:
        process = subprocess.Popen(command(lab), env=environment(folder, lab), stdout=log, stderr=log, cwd=folder)
        try:
            wait_until_up(lab, process)
            yield lab
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def install_from_checkout(folder: Path) -> None:
    """What the wheel's shared data would do, as links: the browser sees the bundle that was built last."""
    bundle = ROOT / "qpm_lab" / "labextension"
    assert (bundle / "package.json").exists(), (
        "Build the front end first: cd labextension && npm ci && npm run build:prod"
    )
    links = {
        "data/labextensions/qpm-lab": bundle,
        "data/kernels/qpm": ROOT / "qpm_lab" / "kernel" / "spec",
        "config/jupyter_server_config.d": ROOT / "qpm_lab" / "server" / "config",
    }
    for name, target in links.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(target, target_is_directory=True)
    for plugin, setting in SETTINGS.items():
        file = folder / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(setting))


def command(lab: JupyterLab) -> list[str]:
    port = lab.url.rpartition(":")[2]
    return [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--allow-root"),
        *(f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={lab.token}"),
        *(f"--ServerApp.root_dir={lab.notebooks}", "--LabApp.expose_app_in_browser=True"),
    ]


def environment(folder: Path, lab: JupyterLab) -> dict[str, str]:
    paths = [str(ROOT), str(ROOT / "magics"), os.environ.get("PYTHONPATH", "")]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QPM_", "JUPYTER"))}
    return {
        **kept,
        "QPM_HOME": str(lab.home),
        "PYTHONFAULTHANDLER": "1",
        "QPM_KEYRING": "off",
        "QPM_SECRET_IONQ": Double.token,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "JUPYTER_PATH": str(folder / "data"),
        "JUPYTER_CONFIG_PATH": str(folder / "config"),
        "JUPYTER_CONFIG_DIR": str(folder / "user-config"),
        "JUPYTER_DATA_DIR": str(folder / "user-data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
    }


def wait_until_up(lab: JupyterLab, process: subprocess.Popen[bytes]) -> None:
    port = int(lab.url.rpartition(":")[2])
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, f"JupyterLab ended: see {OUTPUT / 'jupyterlab.log'}"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError("JupyterLab did not start.")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium, else the one playwright installed."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh tab with no cookies of another test."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()
