(function () {
  var root = document.getElementById("NAME");
  if (!root || root.dataset.on) return;
  root.dataset.on = 1;
  var data = JSON.parse(root.querySelector("script[type='application/json']").textContent);
  var picture = root.querySelector("img");
  var sliders = [].slice.call(root.querySelectorAll("input"));
  var outputs = root.querySelectorAll("output");
  var ready = [];
  function frame(i) {
    if (!ready[i]) { ready[i] = new Image(); ready[i].src = data.frames[i]; }
    return ready[i].src;
  }
  function update() {
    var k = 0;
    sliders.forEach(function (slider, j) {
      var labels = data.labels[j], i = +slider.value;
      k = k * labels.length + i;
      outputs[j].textContent = labels[i];
      slider.setAttribute("aria-valuetext", labels[i]);
    });
    picture.src = frame(data.index[k]);
    picture.alt = data.alts[k];
    root.dataset.frame = k;
  }
  sliders.forEach(function (slider) { slider.addEventListener("input", update); });
  update();
  (window.requestIdleCallback || setTimeout)(function () { data.frames.forEach(function (_, i) { frame(i); }); });
})();
