"""Uploads one file with one of three clients of tus, and prints the URL of the upload.

upload.py {tuspy,aiotus,resumable-upload} ENDPOINT AUTHORIZATION FILE NAME [OPTION=VALUE]...
"""

import asyncio
import sys

import aiotus
import tusclient.client
import tusclient.exceptions
import tusclient.storage.filestorage
from resumable_upload import TusClient
from resumable_upload.url_storage import FileURLStorage

ATTEMPTS = 8
DELAY_SECONDS = 0.2
MIB = 1024 * 1024


def upload_by_tuspy(endpoint, headers, path, name, options):
    """Options: chunk (bytes), checksum (yes), stop_at (bytes), store (path of the stored URLs)."""
    client = tusclient.client.TusClient(endpoint, headers)
    store = options.get("store")
    uploader = client.uploader(
        path,
        chunk_size=int(options.get("chunk", sys.maxsize)),
        metadata={"filename": name, "filetype": ""},
        retries=ATTEMPTS,
        retry_delay=DELAY_SECONDS,
        upload_checksum="checksum" in options,
        store_url=store is not None,
        url_storage=store and tusclient.storage.filestorage.FileStorage(store),
    )
    print("from", uploader.offset)
    uploader.upload(int(options["stop_at"]) if "stop_at" in options else None)
    return uploader.url


def upload_by_aiotus(endpoint, headers, path, name, options):
    """Options: chunk (bytes)."""
    config = aiotus.RetryConfiguration(retry_attempts=ATTEMPTS, max_retry_period_seconds=DELAY_SECONDS)

    async def upload():
        with open(path, "rb") as file:
            metadata = {"filename": name.encode(), "is_confidential": None}
            chunk = int(options.get("chunk", 4 * MIB))
            return await aiotus.upload(endpoint, file, metadata, config=config, headers=headers, chunksize=chunk)

    return asyncio.run(upload())


def upload_by_resumable_upload(endpoint, headers, path, name, options):
    """Options: chunk (bytes), checksum (an algorithm, or no), parallel (uploads), stop_at (bytes), store (path)."""
    checksum = options.get("checksum", "sha1")
    store = options.get("store")
    client = TusClient(
        endpoint,
        chunk_size=int(options.get("chunk", MIB)),
        checksum=False if checksum == "no" else checksum,
        headers=headers,
        max_retries=ATTEMPTS,
        retry_delay=DELAY_SECONDS,
        store_url=store is not None,
        url_storage=store and FileURLStorage(store),
    )
    return client.upload_file(
        path,
        metadata={"filename": name},
        stop_at=int(options["stop_at"]) if "stop_at" in options else None,
        parallel_uploads=int(options.get("parallel", 1)),
    )


CLIENTS = {
    "tuspy": upload_by_tuspy,
    "aiotus": upload_by_aiotus,
    "resumable-upload": upload_by_resumable_upload,
}

client, endpoint, authorization, path, name, *rest = sys.argv[1:]
options = dict(option.split("=", 1) for option in rest)
headers = {"Authorization": authorization} if authorization else {}
try:
    url = CLIENTS[client](endpoint, headers, path, name, options)
except (tusclient.exceptions.TusCommunicationError, tusclient.exceptions.TusUploadFailed) as error:
    sys.exit(f"{type(error).__name__}: {error} {error.status_code} {error.response_content}")
if url is None:
    sys.exit("the client gave up")
print("url", url)
