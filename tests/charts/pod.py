"""What kubelet does for the gateway's container, on this machine: volumes become folders, Secrets become files."""

import base64
import os
import pathlib
import shutil
import subprocess

import pytest

import chart

# A public key from RFC 8037, appendix A.2.
KEY_SET = '{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","alg":"EdDSA","use":"sig","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'


def program():
    """The gateway's program: CONSENTRY_BIN, or the newest under target/; else a skip."""
    if named := os.environ.get("CONSENTRY_BIN"):
        return pathlib.Path(named)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or chart.ROOT / "target")
    built = [path for path in (target / "release" / "consentry", target / "debug" / "consentry") if path.exists()]
    if not built:
        pytest.skip("no `consentry` is built; set CONSENTRY_BIN")
    return max(built, key=lambda path: path.stat().st_mtime)


def certificate():
    """(chain, key) of a new certificate that signs itself."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not there to make a certificate with")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=localhost"]
    made = subprocess.run([*command, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", "-"], capture_output=True, text=True, check=True).stdout
    start = made.index("-----BEGIN CERTIFICATE")
    return made[start:], made[:start]


def stand_in(path):
    """What an object that is not the chart's may hold in the file that is projected to `path`."""
    name = pathlib.PurePath(path).name
    if path.startswith("tenants/"):
        return f"tenant: {pathlib.PurePath(path).stem}\n"
    if name in ("ca.crt", "tls.crt"):
        return certificate()[0]
    if name.endswith(".json"):
        return KEY_SET
    return base64.b16encode(os.urandom(32)).decode()


def serving(objects):
    """The pod's spec and the container that serves."""
    for o in objects:
        spec = o.get("spec", {}).get("template", {}).get("spec", {})
        for container in chart.containers(spec) if "containers" in spec else []:
            if container.get("args", [""])[0] == "serve":
                return spec, container
    raise AssertionError("nothing serves")


def lay_out(objects, root, contents=stand_in, rebase=True):
    """Lays out the volumes of the container that serves below `root`, with symbolic links as kubelet makes them, and returns its arguments.

    With `rebase`, paths in the configuration and the arguments are moved below `root`; without, they are meant for a chroot.
    """
    spec, container = serving(objects)
    maps = {o["metadata"]["name"]: o["data"] for o in objects if o["kind"] == "ConfigMap"}
    volumes = {v["name"]: v for v in spec["volumes"]}
    places = [m["mountPath"] for m in container["volumeMounts"]]

    def moved(text):
        for place in places if rebase else []:
            if not any(place != other and place.startswith(other) for other in places):
                text = text.replace(place, f"{root}{place}")
        return text

    for mount in container["volumeMounts"]:
        place, volume = root / mount["mountPath"].lstrip("/"), volumes[mount["name"]]
        place.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0 and not mount.get("readOnly"):
            shutil.chown(place, container["securityContext"]["runAsUser"], spec["securityContext"]["fsGroup"])
        if "projected" not in volume:
            continue
        data = place / "..2026_11_22_00_00_00.1"
        for source in volume["projected"]["sources"]:
            body = source.get("configMap") or source["secret"]
            ours = maps.get(body["name"], {}) if "configMap" in source else {}
            for item in body["items"]:
                file = data / item["path"]
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(moved(ours[item["key"]]) if item["key"] in ours else contents(item["path"]))
                file.chmod(volume["projected"]["defaultMode"])
                if os.geteuid() == 0:
                    shutil.chown(file, 0, spec["securityContext"]["fsGroup"])
        (place / "..data").symlink_to(data.name)
        for entry in sorted(data.iterdir()):
            (place / entry.name).symlink_to(pathlib.PurePath("..data") / entry.name)
    return [moved(argument) for argument in container["args"]]
