from pydantic import BaseModel, ConfigDict
class Profile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    vcpu: float
    memory_mib: int
