"""The block tables of Citrinet (arXiv:2104.01721, §2 and table 1), as NeMo's configurations give them."""

from linnet.models.jasper import JasperBlockConfig, JasperConfig, odd_kernel

# Kernels of the three groups of blocks; the first block of each group halves the frame rate.
_GROUPS = (
    (11, 13, 15, 17, 19, 21),
    (13, 15, 17, 19, 21, 23, 25),
    (25, 27, 29, 31, 33, 35, 37, 39),
)
_FIRST_KERNEL, _LAST_KERNEL = 5, 41
_NARROW_KERNELS = 0.25

# Width → channels of the last block, and dropout. 256 to 1024 are published; the others fit small corpora.
_SIZES = {
    128: (384, 0.1),
    160: (480, 0.1),
    256: (640, 0.1),
    384: (640, 0.0),
    512: (640, 0.1),
    768: (640, 0.1),
    1024: (1024, 0.1),
}


def citrinet(variant: str) -> JasperConfig:
    """Return the table of a named variant.

    A number is the width of all blocks but the last: 21 blocks of five separable convolutions with
    squeeze-and-excitation, which together take 8 frames in per frame out. `-gamma025` behind it makes the
    kernels of all but the first block a quarter as wide (§3.4), as in most published checkpoints.

    Raises:
        KeyError: for an unknown variant; `VARIANTS` names them all.
    """
    if variant not in VARIANTS:
        raise KeyError(variant)
    width, _, narrow = variant.partition("-")
    last_width, dropout = _SIZES[int(width)]
    return citrinet_table(
        int(width), last_width, kernel_factor=_NARROW_KERNELS if narrow else 1.0, dropout=dropout
    )


def citrinet_table(
    width: int, last_width: int, *, kernel_factor: float = 1.0, dropout: float = 0.0, repeat: int = 5
) -> JasperConfig:
    """Return a Citrinet of any width."""
    blocks = [JasperBlockConfig(filters=width, kernel=_FIRST_KERNEL, residual=False, se=True)]
    for kernels in _GROUPS:
        for index, kernel in enumerate(kernels):
            blocks.append(
                JasperBlockConfig(
                    filters=width,
                    kernel=odd_kernel(kernel, kernel_factor),
                    repeat=repeat,
                    stride=2 if index == 0 else 1,
                    stride_at="last",
                    se=True,
                    dropout=dropout,
                )
            )
    kernel = odd_kernel(_LAST_KERNEL, kernel_factor)
    blocks.append(JasperBlockConfig(filters=last_width, kernel=kernel, residual=False, se=True))
    return JasperConfig(blocks=tuple(blocks))


VARIANTS = tuple(f"{width}{narrow}" for width in _SIZES for narrow in ("", "-gamma025"))
