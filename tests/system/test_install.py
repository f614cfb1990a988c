"""cmake --install: what a package or an operator gets."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from support.signet import BIN

BUILD = BIN.parent
MAN = pathlib.Path(__file__).parents[2] / "man"

pytestmark = pytest.mark.skipif(shutil.which("cmake") is None or
                                not (BUILD / "cmake_install.cmake").exists(),
                                reason="SIGNET_BIN is not in a build folder")


@pytest.fixture
def install(tmp_path):
    """Install below a folder; the folder."""
    def run():
        result = subprocess.run(["cmake", "--install", str(BUILD)], capture_output=True, text=True,
                                timeout=60, env={**os.environ, "DESTDIR": str(tmp_path)})
        assert result.returncode == 0, result.stderr
        return tmp_path
    return run


def only(folder, pattern):
    found = list(folder.rglob(pattern))
    assert len(found) == 1, f"{pattern}: {found}"
    return found[0]


def test_programs_manual_pages_unit_and_sample_are_installed(install):
    root = install()
    assert only(root, "signetd").parent.name == "sbin"
    assert only(root, "signet.conf").parent.name == "signet"
    # Who is not root has no sbin in PATH, and may check a zone.
    programs = [path for path in root.rglob("signet") if path.is_file()]
    assert [path.parent.name for path in programs] == ["bin"]
    for page in ("signetd.8", "signet.8", "signet-checkconf.8", "signet-checkzone.8",
                 "signet-keygen.8", "signet-dsfromkey.8", "signet.conf.5"):
        assert only(root, page).parent.name == f"man{page[-1]}"
    unit = only(root, "signetd.service").read_text()
    for program in re.findall(r"^Exec\w+=(\S+)", unit, re.M):
        assert os.access(root / program.lstrip("/"), os.X_OK), program
    # Its directory is the operator's to make.
    state = root / "state"
    state.mkdir()
    sample = root / "sample.conf"
    sample.write_text(only(root, "signet.conf").read_text().replace("/var/lib/signet", str(state)))
    result = subprocess.run([str(programs[0]), "checkconf", str(sample)],
                            capture_output=True, text=True, timeout=20)
    assert result.returncode == 0, result.stderr + result.stdout


def test_an_operator_s_configuration_is_never_overwritten(install):
    conf = only(install(), "signet.conf")
    sample = conf.read_text()
    conf.write_text("// mine\n")
    install()
    assert conf.read_text() == "// mine\n"
    assert pathlib.Path(f"{conf}.sample").read_text() == sample


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff, as man does")
@pytest.mark.parametrize("page", sorted(p.name for p in MAN.glob("signet-*.8")))
def test_the_synopsis_of_a_subcommand_names_it(page):
    text = subprocess.run(["groff", "-mandoc", "-Tascii", "-P-c", MAN / page], capture_output=True, text=True).stdout
    text = re.sub(".\b", "", text)
    command = page.removesuffix(".8").replace("-", " ")
    assert re.search(rf"^SYNOPSIS\n\s+{command} ", text, re.M), text[:400]
