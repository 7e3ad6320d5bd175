// A stand-in for WeChat's page script. It asks the sandbox phone, in whose frame the page lies, for
// everything a real phone would do; outside the phone only the signature can be checked.
(function () {
  "use strict";
  var home = new URL(document.currentScript.src).origin;
  var phone = window.parent === window ? null : window.parent;
  var waiting = new Map();
  var count = 0;
  var state = "new"; // new, checking, ready, failed
  var allowed = [];
  var onReady = [];
  var onError = [];
  var failure = null;

  function ask(call, args) {
    return new Promise(function (resolve) {
      count += 1;
      waiting.set(count, resolve);
      phone.postMessage({ sandboxWx: 1, id: count, call: call, args: args }, "*");
    });
  }

  window.addEventListener("message", function (event) {
    if (!phone || event.source !== phone || !event.data || event.data.sandboxWx !== 1) return;
    var resolve = waiting.get(event.data.id);
    waiting.delete(event.data.id);
    if (resolve) resolve(event.data.result);
  });

  function verify(config) {
    var url = location.href.split("#")[0];
    var asked = Object.assign({}, config, { url: url });
    if (phone) return ask("config", asked);
    return fetch(home + "/_jssdk/verify", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(asked),
    }).then(
      function (response) { return response.json(); },
      function () { return { errMsg: "config:fail, the sandbox cannot be reached" }; },
    );
  }

  function settle(answer) {
    if (answer && answer.errMsg === "config:ok") {
      state = "ready";
      onReady.splice(0).forEach(function (call) { call(); });
      return;
    }
    state = "failed";
    failure = answer || { errMsg: "config:fail" };
    onError.splice(0).forEach(function (call) { call(failure); });
  }

  function finish(name, options, answer) {
    var ok = answer.errMsg === name + ":ok";
    var call = ok ? options.success : /:cancel$/.test(answer.errMsg) ? options.cancel : options.fail;
    if (call) call(answer);
    if (options.complete) options.complete(answer);
  }

  function perform(name, options) {
    options = options || {};
    if (state !== "ready" || allowed.indexOf(name) < 0) {
      finish(name, options, { errMsg: name + ":permission denied" });
      return;
    }
    if (!phone) {
      finish(name, options, { errMsg: name + ":fail, this page is not open in the sandbox phone" });
      return;
    }
    // Functions cannot cross the frame, everything else can.
    var args = JSON.parse(JSON.stringify(options));
    ask(name, args).then(function (answer) { finish(name, options, answer); });
  }

  var wx = {
    config: function (config) {
      state = "checking";
      allowed = config.jsApiList || [];
      verify({
        appId: config.appId,
        timestamp: config.timestamp,
        nonceStr: config.nonceStr,
        signature: config.signature,
      }).then(settle);
    },
    ready: function (call) {
      if (state === "ready") call();
      else onReady.push(call);
    },
    error: function (call) {
      if (state === "failed") call(failure);
      else onError.push(call);
    },
    checkJsApi: function (options) {
      var result = {};
      (options.jsApiList || []).forEach(function (name) { result[name] = name in wx; });
      finish("checkJsApi", options, { errMsg: "checkJsApi:ok", checkResult: result });
    },
    // Closing needs no permission in WeChat.
    closeWindow: function () {
      if (phone) ask("closeWindow", {});
    },
    miniProgram: {
      getEnv: function (call) { call({ miniprogram: false }); },
    },
  };
  [
    "getLocation",
    "openLocation",
    "chooseLocation",
    "previewImage",
    "scanQRCode",
    "hideOptionMenu",
    "showOptionMenu",
    "hideMenuItems",
    "showMenuItems",
    "updateAppMessageShareData",
    "updateTimelineShareData",
  ].forEach(function (name) {
    wx[name] = function (options) { perform(name, options); };
  });
  window.wx = window.jWeixin = wx;

  if (phone) {
    var tell = function () { ask("title", { title: document.title, url: location.href }); };
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", tell);
    else tell();
  }
})();
