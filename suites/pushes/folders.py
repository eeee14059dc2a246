"""An SFTP server and a WebDAV server on one folder, for tests. Arguments: folder, port of each, file for the host key."""

import asyncio
import pathlib
import sys
import threading

import asyncssh
from cheroot import wsgi
from wsgidav.fs_dav_provider import FilesystemProvider
from wsgidav.wsgidav_app import WsgiDAVApp

FOLDER, SFTP_PORT, DAV_PORT, KEY_FILE = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
USER, PASSWORD = "robot", "only-for-tests"


class Passwords(asyncssh.SSHServer):
    def begin_auth(self, username):
        return True

    def password_auth_supported(self):
        return True

    def validate_password(self, username, password):
        return (username, password) == (USER, PASSWORD)


def serve_dav():
    app = WsgiDAVApp(
        {
            "provider_mapping": {"/": FilesystemProvider(FOLDER, readonly=False)},
            "http_authenticator": {"accept_basic": True, "accept_digest": False, "default_to_digest": False},
            "simple_dc": {"user_mapping": {"*": {USER: {"password": PASSWORD}}}},
            "logging": {"enable": False},
            "verbose": 0,
        }
    )
    wsgi.Server(("127.0.0.1", DAV_PORT), app).start()


async def serve_sftp():
    key = asyncssh.generate_private_key("ssh-ed25519")
    await asyncssh.listen(
        "127.0.0.1",
        SFTP_PORT,
        server_factory=Passwords,
        server_host_keys=[key],
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=FOLDER.encode()),
    )
    pathlib.Path(KEY_FILE).write_text(key.get_fingerprint("sha256"))
    await asyncio.Event().wait()


threading.Thread(target=serve_dav, daemon=True).start()
asyncio.run(serve_sftp())
