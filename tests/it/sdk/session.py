"""Reads the call log and a mailbox with the official SDK for Python, and prints what it found as JSON."""
import json
import os

from ringcentral import SDK

url = os.environ["RC_SERVER_URL"]
sdk = SDK(os.environ["RC_CLIENT_ID"], os.environ["RC_CLIENT_SECRET"], url)
platform = sdk.platform()
platform.login(jwt=os.environ["RC_JWT"])


def pages(address, query):
    """All pages of a list, as its navigation leads."""
    page = platform.get(address, query).json_dict()
    while True:
        yield page
        following = page["navigation"].get("nextPage")
        if not following:
            return
        page = platform.get(following["uri"]).json_dict()


span = {"dateFrom": os.environ["RC_FROM"], "dateTo": os.environ["RC_TO"]}
calls = list(pages("/account/~/call-log", {"view": "Detailed", "showDeleted": "true", "perPage": 50, **span}))
extensions = [
    extension
    for page in pages("/account/~/extension", {"perPage": 5})
    for extension in page["records"]
]
mailbox = next(str(it["id"]) for it in extensions if it.get("extensionNumber") == os.environ["RC_EXTENSION"])
messages = list(pages(f"/account/~/extension/{mailbox}/message-store", {"messageType": ["SMS", "Fax", "Pager"], "availability": ["Alive", "Deleted", "Purged"], "perPage": 2, **span}))
synced = platform.get(
    f"/account/~/extension/{mailbox}/message-sync", {"syncType": "FSync", "recordCount": 250, **span}
).json_dict()
found = {
    "account": str(platform.get("/account/~").json_dict()["id"]),
    "pages": len(calls),
    "calls": sorted(record["id"] for page in calls for record in page["records"]),
    "extensions": len(extensions),
    "mailbox": mailbox,
    "messages": sorted(str(record["id"]) for page in messages for record in page["records"]),
    "synced": sorted(str(record["id"]) for record in synced["records"]),
}
platform.logout()
found["logged_out"] = not platform.auth().access_token_valid()
print(json.dumps(found))
