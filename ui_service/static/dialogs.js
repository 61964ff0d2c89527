// A button with data-opens="id" opens that dialog; Escape and its own Close button shut it.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens).showModal();
});
