/* The cards of this machine by their PCI identity, whether or not a plugin drives them, and which plugin it would take. */
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/cards/families.h"
#include "cli/cards/vendors.h"
#include "cli/devices.h"

namespace qiao::cli {

enum class CardState {
    Driven,   /* a device of Qiao's */
    Undriven, /* there is a plugin, but it does not: `reason` */
    NoPlugin, /* there is none yet */
};

struct Card {
    std::string address;           /* "0000:03:00.0" */
    std::string pci_vendor, pci_device;
    const Vendor* vendor = nullptr; /* null = nobody known */
    Graded product;                 /* "" = not known */
    std::string driver;             /* of the kernel; "" = none */
    CardState state = CardState::NoPlugin;
    std::string device;              /* Qiao's id; "" = none */
    std::vector<std::string> plugins; /* that drive it, or would have to */
    std::string status;               /* "modelled": how sure it is that the plugin works; "" = no family */
    std::string reason, remedy;
};

/* Accelerators and display controllers, in the order of their addresses. */
std::vector<Card> inventory(const std::vector<Device>& devices, const std::vector<qiao_candidate>& candidates, const std::vector<Family>& families);

nlohmann::ordered_json card_json(const Card& card);
/* A line each for those that are no device. */
std::string cards_text(const std::vector<Card>& cards);

} // namespace qiao::cli
