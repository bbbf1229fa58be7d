/* Passkeys. A form with data-passkey="create | get | log-in" is shown where the browser knows passkeys; sending it asks
   the device first, and sends what it answered in the field "credential". Needs mfa/js/webauthn-json.js of django-allauth. */
(function () {
  "use strict";
  if (!window.PublicKeyCredential || !window.webauthnJSON) return;

  function options() {
    return JSON.parse(document.getElementById("passkey-options").textContent);
  }

  const ask = {
    async create(form) {
      const { publicKey } = options().creation_options;
      const withoutPassword = form.elements.passwordless && form.elements.passwordless.checked;
      publicKey.authenticatorSelection = {
        ...publicKey.authenticatorSelection,
        residentKey: withoutPassword ? "required" : "discouraged",
        requireResidentKey: Boolean(withoutPassword),
        ...(withoutPassword ? { userVerification: "required" } : {}),
      };
      return window.webauthnJSON.create({ publicKey });
    },
    async get() {
      return window.webauthnJSON.get(options().request_options);
    },
    async "log-in"(form) {
      const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      return window.webauthnJSON.get((await answer.json()).request_options);
    },
  };

  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", async function (event) {
      event.preventDefault();
      const error = form.querySelector("[data-passkey-error]");
      error.textContent = "";
      try {
        form.elements.credential.value = JSON.stringify(await ask[form.dataset.passkey](form));
      } catch {
        error.textContent = form.dataset.error;
        return;
      }
      form.submit();
    });
  }
})();
