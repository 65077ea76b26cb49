"""A mitmproxy script for tests: what goto's host holds on to, as the answer to /probe."""

import gc
import json

from mitmproxy import http


class Probe:
    def request(self, flow: http.HTTPFlow) -> None:
        if flow.request.path != "/probe":
            return
        from goto.hosts.mitm import private as mitm_private
        from goto.hosts.mitm.host import MitmHost

        (host,) = (each for each in gc.get_objects() if type(each) is MitmHost)
        held = {"clients": len(host._clients), "exchanges": len(host._exchanges), "limits": len(mitm_private.limits)}
        flow.response = http.Response.make(200, json.dumps(held))


addons = [Probe()]
