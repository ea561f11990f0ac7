"""How things hang together, as Python sees it."""

import os
import threading

import numpy as np
import pytest

import qiao


@pytest.fixture(scope="module")
def cabinet():
    before = os.environ.get("QIAO_MOCK_PROFILE")
    os.environ["QIAO_MOCK_PROFILE"] = "scalex_cabinet"
    try:
        return qiao.Instance(visible_devices="mock:*").topology(providers=["plugin"])
    finally:
        del os.environ["QIAO_MOCK_PROFILE"]
        if before is not None:
            os.environ["QIAO_MOCK_PROFILE"] = before


def test_a_device_is_a_vertex(device):
    topology = qiao.topology()
    vertex = topology.vertex(device)
    assert vertex.device == device or vertex.device.id != device.id
    assert topology.vertex(device.id) == vertex == topology.vertex(vertex.number) == topology.vertex(vertex)
    assert topology.vertices[vertex.number] == vertex
    assert topology.path(device, device).distance == "same"
    for link in topology.links(device):
        assert link.source == vertex.number
        assert topology.link(link.number) == link


def test_ways_and_what_is_near(cabinet):
    path = cabinet.path("mock:0", "mock:39")
    assert (path.distance, len(path.links), path.bandwidth, path.alternatives, path.latency_ns) == ("fabric", 2, 112_000_000_000, 4, None)
    assert cabinet.link(path.bottleneck).kind == "HSL"
    assert cabinet.link(path.bottleneck).claims["bandwidth"][0] == (112_000_000_000, "By/s", "plugin", "inferred")
    assert [vertex.id for vertex in cabinet.nearest("mock:5", "port")][0] == "mock/cabinet0/fragment0/node1/card1/port"
    assert len(cabinet.nearest("mock:5", "card")) == 639
    assert cabinet.vertex("mock:5").modelled
    assert cabinet.vertices[cabinet.vertex("mock:5").parent].name == "node 1"


def test_near_this_machine_s_memory():
    topology = qiao.topology(providers=["numa"])
    node = topology.vertex("numa:0")
    cpus = topology.cpus(node)
    assert topology.cpu(cpus[0]).id == "numa:0"
    bound = []

    def bind():
        topology.bind_thread(node)
        bound.append(os.sched_getaffinity(0))

    thread = threading.Thread(target=bind)
    thread.start()
    thread.join()
    assert bound[0] <= set(cpus)
    values = np.frombuffer(topology.allocate(node, 4096), dtype=np.uint32)
    assert values.shape == (1024,) and not values.any()
    values[:] = 7


def test_what_is_wrong_is_said(cabinet, tmp_path):
    with pytest.raises(qiao.NotFoundError, match="no vertex has the id 'nothing'"):
        cabinet.vertex("nothing")
    with pytest.raises(qiao.OutOfRangeError, match="no vertex -1"):
        cabinet.vertex(-1)
    with pytest.raises(TypeError, match="not 'float'"):
        cabinet.vertex(1.5)
    with pytest.raises(ValueError, match="no kind 'gpu'"):
        cabinet.nearest("mock:0", "gpu")
    with pytest.raises(ValueError, match="no provider 'usb'"):
        qiao.topology(providers=["usb"])
    with pytest.raises(qiao.UnsupportedError, match="a model's"):
        cabinet.bind_thread("mock:0")
    nothing = qiao.topology(sysfs_root=str(tmp_path), providers=["pci", "numa"])
    assert nothing.vertices == [] and nothing.links() == [] and nothing.notes == []
    assert {provider.name: provider.state for provider in nothing.providers} == {
        "plugin": "skipped", "pci": "absent", "kfd": "skipped", "numa": "absent", "cxl": "skipped", "infiniband": "skipped", "hwloc": "skipped", "libdrm": "skipped"}
