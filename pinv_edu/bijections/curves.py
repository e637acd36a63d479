r"""Curves: one strictly rising function for every value of a picture.

A picture in [-1, 1] shows the light :math:`u = (x + 1)/2`, 0 for black and
1 for white. A curve answers with :math:`v = f(u)`, shown as
:math:`y = 2v - 1`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from pinv_edu.bijections.base import Bijection, check_positive


class Curve(Bijection):
    r"""The same curve at every value: :math:`(y + 1)/2 = f((x + 1)/2)`.

    A subclass defines :meth:`response`, :meth:`light` and :meth:`slope`.
    :math:`f` must rise strictly and map :math:`\mathbb R` onto
    :math:`\mathbb R`, beyond the range in which it is physical too.
    """

    def response(self, light: Tensor) -> Tensor:
        r"""Response to light: :math:`v = f(u)`."""
        raise NotImplementedError(
            f"{type(self).__name__} must define response(light)"
        )

    def light(self, response: Tensor) -> Tensor:
        r"""Light that gave the response: :math:`u = f^{-1}(v)`."""
        raise NotImplementedError(
            f"{type(self).__name__} must define light(response)"
        )

    def slope(self, light: Tensor) -> Tensor:
        r"""Slope of the response: :math:`f'(u)`."""
        raise NotImplementedError(
            f"{type(self).__name__} must define slope(light)"
        )

    def forward(self, x: Tensor) -> Tensor:
        r"""Return :math:`y = 2 f((x + 1)/2) - 1`."""
        return 2 * self.response((self.check_x(x) + 1) / 2) - 1

    def inverse(self, y: Tensor) -> Tensor:
        r"""Return :math:`x = 2 f^{-1}((y + 1)/2) - 1`."""
        return 2 * self.light((self.check_y(y) + 1) / 2) - 1

    def log_det(self, x: Tensor) -> Tensor:
        r"""Return :math:`\sum_i \log f'(u_i)`."""
        slopes = self.slope((self.check_x(x) + 1) / 2)
        return slopes.log().flatten(1).sum(1)


class Gamma(Curve):
    r"""Gamma curve: :math:`v = \operatorname{sign}(u)\,|u|^\gamma`.

    The physical range is :math:`x \in [-1, 1]`. Below black the curve goes
    on oddly, above white as the same power.

    At black the slope is 0 for :math:`\gamma > 1`, so the inverse has an
    infinite slope there and :math:`\log|\det|` is :math:`-\infty`. An error
    :math:`\delta` of ``y`` becomes an error of ``x`` of about

    .. math::
        \min\bigl(\delta / f'(u),\; 4\,(\delta/4)^{1/\gamma}\bigr) :

    for :math:`\gamma = 2.2` rounding at black returns as an error up to
    :math:`10^{-7}` in float64 and :math:`10^{-3}` in float32, while at
    :math:`u = 0.01` it is amplified a hundredfold only. The other round
    trip, :math:`\varphi(\varphi^{-1}(y)) = y`, is accurate everywhere. For
    :math:`\gamma < 1` the two change places. At exactly black, where a
    slope is infinite, automatic differentiation gives 0.

    Parameters
    ----------
    shape
        Event shape, of any number of dimensions.
    exponent
        :math:`\gamma > 0`: 2.2 darkens as a screen does, 1 / 2.2 undoes it.

    Raises
    ------
    ValueError
        If ``exponent`` is not positive and finite.
    """

    def __init__(self, shape: Sequence[int], exponent: float) -> None:
        super().__init__(shape)
        self.exponent = check_positive(exponent, "exponent")

    def response(self, light: Tensor) -> Tensor:
        r"""Return :math:`\operatorname{sign}(u)\,|u|^\gamma`."""
        return odd_power(light, self.exponent)

    def light(self, response: Tensor) -> Tensor:
        r"""Return :math:`\operatorname{sign}(v)\,|v|^{1/\gamma}`."""
        return odd_power(response, 1 / self.exponent)

    def slope(self, light: Tensor) -> Tensor:
        r"""Return :math:`\gamma\,|u|^{\gamma - 1}`."""
        return self.exponent * light.abs() ** (self.exponent - 1)


def odd_power(u: Tensor, exponent: float) -> Tensor:
    r"""Power of the size, sign kept: :math:`\operatorname{sign}(u)|u|^p`."""
    zero = u == 0
    # The inner where keeps 0 * inf = nan out of the gradient.
    size = torch.where(zero, 1.0, u).abs()
    return torch.where(zero, 0.0, u.sign() * size**exponent)


class SensorResponse(Curve):
    r"""A sensor that counts light and saturates softly.

    With gain :math:`a`, knee :math:`k`, leak :math:`\ell`,
    :math:`u_k = k/a` and
    :math:`u_s = u_k + \tfrac{1-k}{a} \log\tfrac1\ell`:

    .. math::
        f(u) = \begin{cases}
        a u & u < u_k \quad \text{(toe: it counts)} \\
        1 - (1-k)\, e^{-a (u - u_k)/(1-k)}
        & u_k \le u < u_s \quad \text{(it saturates towards 1)} \\
        f(u_s) + \ell a\, (u - u_s)
        & u \ge u_s \quad \text{(shoulder: it leaks)}
        \end{cases}

    Value and slope are continuous; the slope falls from :math:`a` to
    :math:`\ell a` and is never zero. Physical from black to :math:`u_s`,
    which by default is just above white: a real sensor would stop there,
    but then no inverse would exist. The inverse amplifies errors by at most
    :math:`1/(\ell a)`; a smaller leak is a harder ceiling and a worse
    conditioned inverse.

    Parameters
    ----------
    shape
        Event shape, of any number of dimensions.
    gain
        :math:`a`: response per light in the dark; twice the gain is one
        stop more exposure.
    knee
        :math:`k`: response where saturation begins, as a share of the full
        response 1, in (0, 1).
    leak
        :math:`\ell`: slope when saturated, as a share of the slope in the
        dark, in (0, 1).

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    """

    def __init__(
        self,
        shape: Sequence[int],
        gain: float = 1.5,
        knee: float = 0.6,
        leak: float = 0.1,
    ) -> None:
        super().__init__(shape)
        self.gain = check_positive(gain, "gain")
        self.knee, self.leak = _share(knee, "knee"), _share(leak, "leak")
        self.rate = gain / (1 - knee)
        self.u_knee = knee / gain
        self.u_full = self.u_knee - math.log(leak) / self.rate
        self.v_full = 1 - (1 - knee) * leak

    def response(self, light: Tensor) -> Tensor:
        r"""Return :math:`f(u)`: toe, saturation, shoulder."""
        inside = light.clamp(self.u_knee, self.u_full) - self.u_knee
        bend = self.knee - (1 - self.knee) * torch.expm1(-self.rate * inside)
        over = self.v_full + self.leak * self.gain * (light - self.u_full)
        above = torch.where(light < self.u_full, bend, over)
        return torch.where(light < self.u_knee, self.gain * light, above)

    def light(self, response: Tensor) -> Tensor:
        r"""Return :math:`f^{-1}(v)`, piece by piece."""
        inside = response.clamp(self.knee, self.v_full) - self.knee
        bend = self.u_knee - torch.log1p(-inside / (1 - self.knee)) / self.rate
        over = self.u_full + (response - self.v_full) / (self.leak * self.gain)
        above = torch.where(response < self.v_full, bend, over)
        return torch.where(response < self.knee, response / self.gain, above)

    def slope(self, light: Tensor) -> Tensor:
        r"""Return :math:`f'(u)`, from :math:`a` down to :math:`\ell a`."""
        inside = light.clamp(self.u_knee, self.u_full) - self.u_knee
        return self.gain * torch.exp(-self.rate * inside)


def _share(value: float, what: str) -> float:
    if not check_positive(value, what) < 1:
        raise ValueError(f"{what} is a share in (0, 1), got {value!r}")
    return float(value)


class LogExposure(Curve):
    r"""Logarithm of light, made linear around black by asinh.

    .. math::
        f(u) = \frac{\operatorname{asinh}(u/s)}{\operatorname{asinh}(1/s)}
        \;\text{ for } |u| \le 1, \qquad s = 2^{-\text{stops}}

    Black stays black, white stays white. Light well above :math:`s` is
    shown in equal steps per doubling, light below it linearly, and
    negative light oddly. The physical range is :math:`x \in [-1, 1]`.
    Beyond white (and minus white) the curve goes on as its tangent there:
    the inverse of the asinh itself grows exponentially and would soon
    overflow.

    Parameters
    ----------
    shape
        Event shape, of any number of dimensions.
    stops
        Doublings of light from :math:`s` to white; more stops lift the
        shadows more.

    Raises
    ------
    ValueError
        If ``stops`` is not positive or above 20.
    """

    def __init__(self, shape: Sequence[int], stops: float = 6.0) -> None:
        super().__init__(shape)
        if check_positive(stops, "stops") > 20:
            raise ValueError(
                f"stops must be at most 20 (light 1 to 1,000,000), "
                f"got {stops!r}"
            )
        self.dark = 2.0**-stops
        self.span = math.asinh(1 / self.dark)
        self.tangent = 1 / (math.hypot(1, self.dark) * self.span)

    def response(self, light: Tensor) -> Tensor:
        r"""Return :math:`f(u)`."""
        inside = light.clamp(-1, 1)
        bend = torch.asinh(inside / self.dark) / self.span
        over = light.sign() + self.tangent * (light - light.sign())
        return torch.where(light.abs() < 1, bend, over)

    def light(self, response: Tensor) -> Tensor:
        r"""Return :math:`f^{-1}(v)`, by sinh up to white."""
        inside = response.clamp(-1, 1)
        bend = self.dark * torch.sinh(inside * self.span)
        over = response.sign() + (response - response.sign()) / self.tangent
        return torch.where(response.abs() < 1, bend, over)

    def slope(self, light: Tensor) -> Tensor:
        r"""Return :math:`1/(\sqrt{u^2 + s^2}\,\operatorname{asinh}(1/s))`."""
        inside = light.clamp(-1, 1)
        return 1 / (
            torch.hypot(inside, light.new_tensor(self.dark)) * self.span
        )
