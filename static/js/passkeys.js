// django-allauth's scripts tell of a passkey that was not used; the page says so.
document.addEventListener("allauth.error", (event) => {
  const place = document.getElementById("passkey_problem");
  if (!place) return;
  event.preventDefault();
  const { exception } = event.detail;
  place.textContent =
    exception && exception.name === "InvalidStateError"
      ? "This passkey is there already."
      : "That did not work, or it was stopped. Try again.";
});
