"""Plain HTTP requests, for tests of what is served."""

import json
import urllib.error
import urllib.request


def post(url, body, path="/v1/chat/completions", **headers):
    """Status, bytes and headers of what comes back."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return response.status, response.read(), dict(response.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), dict(error.headers)


def get(url, path):
    """What is read of a page."""
    with urllib.request.urlopen(url + path, timeout=20) as response:
        return json.loads(response.read())


def said(data):
    """The error in a response."""
    return json.loads(data)["error"]
