"""Verifies captured deliveries with the Python library of Standard Webhooks.

Reads a JSON list of {name, secret, headers, body, isValid} from the file that is named, and ends
with 1 where the library thinks otherwise of any of them.
"""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


def is_accepted(delivery):
    try:
        Webhook(delivery["secret"]).verify(delivery["body"], delivery["headers"])
        return True
    except WebhookVerificationError:
        return False


with open(sys.argv[1], encoding="utf-8") as file:
    deliveries = json.load(file)
wrong = [each["name"] for each in deliveries if is_accepted(each) != each["isValid"]]
for name in wrong:
    print(f"wrong: {name}")
print(f"{len(deliveries) - len(wrong)} of {len(deliveries)} as expected")
sys.exit(1 if wrong or not deliveries else 0)
