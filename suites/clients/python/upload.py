"""An upload by a client that openapi-python-client has made. Prints what the server says of the file, as JSON."""

import hashlib
import json
import sys
from base64 import b64encode
from io import BytesIO

from cryolift_client import AuthenticatedClient
from cryolift_client.api.files import get_file, read_file
from cryolift_client.api.uploads import complete_upload, init_upload, put_part
from cryolift_client.models import Error, ErrorCode, File, InitRequest, PartReceipt, Upload
from cryolift_client.types import File as Payload

url, token = sys.argv[1:]
data = b"cryo-EM" * 30_000
client = AuthenticatedClient(base_url=url, token=token, raise_on_unexpected_status=True)

request = InitRequest(filename="python.bin", size=len(data), part_size=65_536)
upload = init_upload.sync(client=client, body=request, idempotency_key="python-1")
assert isinstance(upload, Upload), upload
for idx in range(upload.part_count):
    offset = idx * upload.part_size
    part = data[offset : offset + upload.part_size]
    digest = b64encode(hashlib.sha256(part).digest()).decode()
    receipt = put_part.sync(
        upload.upload_id,
        idx,
        client=client,
        body=Payload(payload=BytesIO(part)),
        content_digest=f"sha-256=:{digest}:",
        upload_offset=offset,
    )
    assert isinstance(receipt, PartReceipt) and receipt.part == idx, receipt

file = complete_upload.sync(upload.upload_id, client=client)
while isinstance(file, Upload):
    file = complete_upload.sync(upload.upload_id, client=client)
assert isinstance(file, File), file
content = read_file.sync_detailed(file.file_id, client=client, range_="bytes=100-299")
refusal = get_file.sync("none", client=client)
assert isinstance(refusal, Error) and refusal.code == ErrorCode.FILE_NOT_FOUND, refusal
print(
    json.dumps(
        {
            "sha256": file.sha256,
            "expected": hashlib.sha256(data).hexdigest(),
            "status": content.status_code,
            "range": content.content == data[100:300],
            "refusal": refusal.code,
        }
    )
)
