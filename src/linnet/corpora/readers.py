"""Which function reads which corpus of the catalog."""

from linnet.corpora.commonvoice import read_commonvoice
from linnet.corpora.entry import Reader
from linnet.corpora.folder import read_folder
from linnet.corpora.fsdd import read_fsdd
from linnet.corpora.golos import read_golos
from linnet.corpora.hub5 import read_hub5
from linnet.corpora.kaldi import read_kaldi
from linnet.corpora.lhotse_cuts import read_lhotse_cuts
from linnet.corpora.lhotse_recipes import RECIPES, recipe_reader
from linnet.corpora.nemo import read_nemo
from linnet.corpora.speechocean762 import read_speechocean762
from linnet.corpora.timit import timit_reader
from linnet.corpora.voxforge import read_voxforge
from linnet.corpora.wsj import read_wsj

READERS: dict[str, Reader] = {
    "commonvoice": read_commonvoice,
    "folder": read_folder,
    "fsdd": read_fsdd,
    "golos": read_golos,
    "hub5": read_hub5,
    "kaldi": read_kaldi,
    "lhotse": read_lhotse_cuts,
    "nemo": read_nemo,
    "speechocean762": read_speechocean762,
    "timit": timit_reader("phones"),
    "timit-words": timit_reader("words"),
    "voxforge": read_voxforge,
    "wsj": read_wsj,
    **{name: recipe_reader(name) for name in RECIPES},
}
