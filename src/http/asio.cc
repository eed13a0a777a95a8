// Asio's non-template functions, for every floor: see BOOST_ASIO_SEPARATE_COMPILATION in
// CMakeLists.txt.
#include <boost/asio/impl/src.hpp>
