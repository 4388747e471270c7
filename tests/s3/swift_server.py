"""OpenStack Swift with its S3 API on one node: all four of its servers in one process.

A script: `swift_server.py FOLDER KEY SECRET`; prints its port when it answers. Four processes of
their own, as in production, would import Swift four times; the code that serves is the same.
"""

import os
import sys
import warnings
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")

import eventlet  # noqa: E402
from eventlet import wsgi  # noqa: E402
from swift.common import utils  # noqa: E402
from swift.common.ring import RingData  # noqa: E402
from swift.common.wsgi import SwiftHttpProtocol, loadapp  # noqa: E402

STORES = ("account", "container", "object")
PARTS = 4  # bits of a partition number; one node has all of them

STORE = """
[DEFAULT]
swift_dir = {folder}
devices = {folder}/srv
mount_check = false
fallocate_reserve = 0
disable_fallocate = true
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
"""
PROXY = """
[DEFAULT]
swift_dir = {folder}
[pipeline:main]
pipeline = catch_errors gatekeeper bulk s3api tempauth slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
s3_acl = false
min_segment_size = 5242880
[filter:tempauth]
use = egg:swift#tempauth
user_{user} = {secret} .admin
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
[filter:symlink]
use = egg:swift#symlink
"""
HASHES = """
[swift-hash]
swift_hash_path_prefix = tests
swift_hash_path_suffix = tests
[storage-policy:0]
name = only
default = yes
"""


def main(folder: Path, key: str, secret: str) -> None:
    """Serve until the process is ended."""
    utils.eventlet_monkey_patch()
    sockets = {name: eventlet.listen(("127.0.0.1", 0), backlog=256) for name in (*STORES, "proxy")}
    (folder / "srv" / "d1").mkdir(parents=True, exist_ok=True)
    (folder / "swift.conf").write_text(HASHES)
    utils.set_swift_dir(str(folder))
    utils.validate_configuration()
    for number, name in enumerate(STORES):
        write_ring(folder / f"{name}.ring.gz", sockets[name].getsockname()[1], number)
        write(folder / f"{name}.conf", STORE, folder=folder, name=name)
    user = key.replace(":", "_")
    write(folder / "proxy.conf", PROXY, folder=folder, user=user, secret=secret)
    threads = [eventlet.spawn(serve, folder / f"{name}.conf", sockets[name]) for name in sockets]
    print(sockets["proxy"].getsockname()[1], flush=True)
    for thread in threads:
        thread.wait()


def write(path: Path, text: str, **parts: Any) -> None:
    path.write_text(text.format(**parts))


def write_ring(path: Path, port: int, number: int) -> None:
    """A ring of one device, which needs no builder."""
    device = {"id": 0, "region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "d1"}
    device |= {"weight": 1.0, "meta": "", "replication_ip": "127.0.0.1", "replication_port": port}
    RingData([[0] * 2**PARTS], [device], 32 - PARTS).save(str(path))


def serve(path: Path, socket: Any) -> None:
    app = loadapp(str(path), global_conf={"log_name": path.stem, "log_level": "ERROR"})
    wsgi.server(
        socket,
        app,
        utils.NullLogger(),
        protocol=SwiftHttpProtocol,
        capitalize_response_headers=False,
        socket_timeout=60,
    )


if __name__ == "__main__":
    os.environ["TZ"] = "UTC+0"
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
