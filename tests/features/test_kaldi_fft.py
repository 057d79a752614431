"""The float32 FFT of Kaldi features: the reference's values bit for bit, and a spectrum at any size."""

import numpy as np
import pytest

from linnet.features.kaldi_fft import power_spectrum, unit_roots

# From kaldi-native-fbank 1.22.5 on x86-64; a third to a half of these differ from a spectrum in float64.
# fmt: off
REFERENCE = {
    16: [0.60034746, 8.700442, 0.21413457, 0.9154226, 13.628734, 9.445971, 3.4547057, 7.668881, 8.575245],
    32: [
        0.2168873, 5.0137625, 5.0415597, 10.438522, 1.7888654, 0.51688516, 6.955935, 14.170454, 44.149235,
        25.10309, 4.0173297, 6.4140406, 20.631582, 0.33889303, 2.2870228, 21.432076, 16.320936,
    ],
}
# fmt: on


@pytest.mark.parametrize("size", REFERENCE)
def test_it_rounds_as_the_reference(size: int) -> None:
    samples = (np.arange(size) ** 2 * 7919 % 2003 / 977 - 1).astype(np.float32)
    power = power_spectrum(samples[:, None], unit_roots(size), np)
    np.testing.assert_array_equal(power[:, 0], np.array(REFERENCE[size], np.float32))


@pytest.mark.parametrize("size", [1, 2, 4, 8, 15, 400, 512, 1024])
def test_columns_become_their_power_spectra(size: int) -> None:
    samples = np.random.default_rng(size).standard_normal((size, 5), dtype=np.float32)
    power = power_spectrum(samples, unit_roots(size), np)
    expected = np.abs(np.fft.rfft(samples.astype(np.float64), axis=0)) ** 2
    assert power.dtype == np.float32
    np.testing.assert_allclose(power, expected, atol=1e-6 * expected.max(), rtol=0)
