"""The yardstick: the smallest Flask application that echoes WeChat's pushes with wechatpy.

It checks the signature, opens the envelope, parses the message and answers with a sealed text. It
keeps no state, resolves no place and defends against nothing.
"""

from __future__ import annotations

import os

from flask import Flask, Response, abort, request
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
from wechatpy.replies import TextReply
from wechatpy.utils import check_signature


def create_app() -> Flask:
    app = Flask(__name__)
    token, key, appid = (os.environ[n] for n in ("WECHAT_TOKEN", "WECHAT_AES_KEY", "WECHAT_APPID"))
    crypto = WeChatCrypto(token, key, appid)

    @app.route("/wechat", methods=["POST"])
    def wechat() -> str | Response:
        timestamp, nonce = request.args["timestamp"], request.args["nonce"]
        try:
            if request.args.get("encrypt_type") != "aes":
                check_signature(token, request.args["signature"], timestamp, nonce)
                return TextReply(content="echo", message=parse_message(request.data)).render()
            opened = crypto.decrypt_message(
                request.data, request.args["msg_signature"], timestamp, nonce
            )
        except (InvalidAppIdException, InvalidSignatureException):
            abort(403)
        reply = TextReply(content="echo", message=parse_message(opened)).render()
        return crypto.encrypt_message(reply, nonce, timestamp)

    return app
